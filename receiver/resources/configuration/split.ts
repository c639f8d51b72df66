// A command as a person writes it, split into a program and its arguments. No shell ever sees it.

import { shorten, type UraidenError } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'

/** A quoted part, or one without spaces and quotes. */
const part = /'([^']*)'|"([^"]*)"|([^\s'"]+)/y
/** What a shell would act on, and what nobody would act on here. */
const shellOnly = /[|&;<>()$`*?]/

/**
 * `read --unit 'degrees C'` is three parts.
 * @throws UraidenError `command_needs_shell`, `command_unreadable`
 */
export function splitCommand(text: string): readonly string[] {
  const words: string[] = []
  let at = 0
  let joined = false
  while (at < text.length) {
    const space = /\s*/y
    space.lastIndex = at
    const skipped = space.exec(text)?.[0].length ?? 0
    at += skipped
    if (at >= text.length) break
    part.lastIndex = at
    const match = part.exec(text)
    if (match === null) throw unreadable(text)
    const [whole, single, double, bare] = match
    if (bare !== undefined && shellOnly.test(bare)) throw needsShell(text, bare)
    const word = single ?? double ?? bare ?? ''
    if (joined && skipped === 0) words.push(`${words.pop() ?? ''}${word}`)
    else words.push(word)
    joined = true
    at += whole.length
  }
  if (words.length === 0) throw unreadable(text)
  return words
}

function needsShell(text: string, bare: string): UraidenError {
  return receiverError({
    code: 'command_needs_shell',
    message: `"${shorten(text, 80)}" has "${shorten(bare)}", which only a shell understands, and none is started.`,
  })
}

function unreadable(text: string): UraidenError {
  return receiverError({
    code: 'command_unreadable',
    message: `"${shorten(text, 80)}" is no command: a quote is not closed, or there is nothing.`,
  })
}
