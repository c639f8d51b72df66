// What a program has to know before it can begin: a person is asked for it at a terminal, a script gives it as
// options.
import { createInterface } from 'node:readline'
import { isUraidenError, shorten } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'

export interface Question<Value> {
  /** The option that answers it: `--rpc`. */
  readonly option: string
  /** In a few words: `JSON-RPC address of an Ethereum node`. */
  readonly text: string
  /** What the option said. */
  readonly given?: string | undefined
  /** Taken where nothing is said. */
  readonly usual?: string | undefined
  /** @throws UraidenError what is wrong with it */
  readonly parse: (text: string) => Value
}

export interface Questions {
  /**
   * At a terminal what is wrong is said, and asked for again.
   * @throws UraidenError `answer_missing` where nobody can be asked, `answers_ended`, and of an option those of `parse`
   */
  readonly ask: <Value>(question: Question<Value>) => Promise<Value>
  readonly close: () => void
}

export interface QuestionsOptions {
  /** Nobody is asked: what is usual is taken. */
  readonly yes?: boolean | undefined
  readonly input: NodeJS.ReadableStream & { readonly isTTY?: boolean }
  readonly output: NodeJS.WritableStream
}

export function createQuestions({ yes = false, input, output }: QuestionsOptions): Questions {
  let lines: Lines | undefined

  async function line(prompt: string): Promise<string> {
    lines ??= readLines(input, output)
    const said = await lines.next(prompt)
    if (said !== undefined) return said.trim()
    throw platformError({
      code: 'answers_ended',
      message: 'The questions were not answered to the end.',
    })
  }

  return {
    ask: async ({ option, text, given, usual, parse }) => {
      if (given !== undefined) return parse(given)
      if (yes || input.isTTY !== true) {
        if (usual !== undefined) return parse(usual)
        throw platformError({
          code: 'answer_missing',
          message: `It is not said what to take: ${text}.`,
          hint: `Say it with ${option}, or run the command at a terminal.`,
        })
      }
      const prompt = usual === undefined ? `${text}: ` : `${text} [${usual}]: `
      for (;;) {
        const said = await line(prompt)
        try {
          return parse(said === '' ? (usual ?? '') : said)
        } catch (error) {
          if (!isUraidenError(error)) throw error
          output.write(`  ${error.message} ${error.hint}\n`)
        }
      }
    },
    close: () => lines?.close(),
  }
}

interface Lines {
  /** Undefined when there is none any more. */
  readonly next: (prompt: string) => Promise<string | undefined>
  readonly close: () => void
}

/** Lines that come before they are asked for are kept: somebody pastes all answers at once. */
function readLines(input: NodeJS.ReadableStream, output: NodeJS.WritableStream): Lines {
  const terminal = createInterface({ input, output })
  const kept: string[] = []
  let waiting: ((line: string | undefined) => void) | undefined
  let ended = false
  terminal.on('line', (line) => {
    if (waiting === undefined) kept.push(line)
    else waiting(line)
    waiting = undefined
  })
  terminal.once('close', () => {
    ended = true
    waiting?.(undefined)
  })
  return {
    next: async (prompt) => {
      const line = kept.shift()
      if (ended && line === undefined) return undefined
      terminal.setPrompt(prompt)
      if (ended) output.write(prompt)
      else terminal.prompt()
      return line ?? new Promise((resolve) => (waiting = resolve))
    },
    close: () => terminal.close(),
  }
}

/**
 * An amount of tokens, where it is not known yet what the token is called.
 * @throws UraidenError `not_tokens`
 */
export function parseTokens(text: string): string {
  if (/^[0-9]+(\.[0-9]+)?$/.test(text)) return text
  throw platformError({
    code: 'not_tokens',
    message: `"${shorten(text)}" is not an amount of tokens.`,
  })
}
