// Parsers of command line arguments that say what is wrong in the command line library's words.
import { InvalidArgumentError } from 'commander'
import { isUraidenError } from '../../../protocol/index.ts'

/** One of our own parsers. */
export function argument<Value>(parse: (text: string) => Value): (text: string) => Value {
  return (text) => {
    try {
      return parse(text)
    } catch (error) {
      if (isUraidenError(error)) throw new InvalidArgumentError(error.hint)
      throw error
    }
  }
}

/** One of these words. */
export function oneOf<Word extends string>(words: readonly Word[]): (text: string) => Word {
  return (text) => {
    const found = words.find((word) => word === text)
    if (found !== undefined) return found
    throw new InvalidArgumentError(`Allowed choices are ${words.join(', ')}.`)
  }
}

/**
 * Of an option that may be given again: all its values. An option that takes several at once would also take
 * the arguments behind it.
 */
export function several<Value>(
  parse: (text: string) => Value,
): (text: string, before?: readonly Value[]) => readonly Value[] {
  return (text, before = []) => [...before, parse(text)]
}

/** An integer from `least` to `most`. */
export function integer(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = Number(text)
    if (!/^\d+$/.test(text) || number < least || number > most) {
      throw new InvalidArgumentError(`Write an integer from ${least} to ${most}.`)
    }
    return number
  }
}
