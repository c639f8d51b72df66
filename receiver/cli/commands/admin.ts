// uraiden-receiver admin hash and token: secrets for the configuration. They come from the terminal or
// standard input and never from the arguments, which every user of the machine can read.

import { randomBytes } from 'node:crypto'
import { text } from 'node:stream/consumers'
import { createOutput, toJson } from '../../../platform/cli/output.ts'
import { askPassword } from '../../../platform/keys/index.ts'
import { shorten } from '../../../protocol/index.ts'
import { receiverError } from '../../errors/index.ts'
import { hashSecret } from '../../server/admin/secrets.ts'
import { type ExitCode, exitCode } from './exit-codes.ts'
import type { GlobalOptions } from './options.ts'

/** A password is guessed over the network, at a few tries a minute. */
const shortestPassword = 8

export async function adminHash(options: GlobalOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const hash = await hashSecret(checked(await readPassword()))
  output.print(output.json ? toJson({ hash }) : hash)
  return exitCode.ok
}

export async function adminToken(name: string, options: GlobalOptions): Promise<ExitCode> {
  if (!/^[A-Za-z0-9_@-]{1,64}$/.test(name)) {
    throw receiverError({
      code: 'not_a_token_name',
      message: `"${shorten(name)}" is no name for a token.`,
    })
  }
  const output = createOutput(options.json ?? false)
  const token = `${name}.${randomBytes(32).toString('base64url')}`
  const hash = await hashSecret(token)
  if (output.json) output.print(toJson({ name, token, hash }))
  else {
    output.print(token)
    output.say(`For receiver.yaml, under admin.tokens:   ${name}: '${hash}'`)
    output.say('The token itself is shown this once.')
  }
  return exitCode.ok
}

async function readPassword(): Promise<string> {
  if (process.stdin.isTTY !== true) return (await text(process.stdin)).replace(/\r?\n$/, '')
  const password = await askPassword('Password: ')
  if (password === (await askPassword('Again: '))) return password
  throw receiverError({
    code: 'not_a_password',
    message: 'The two passwords differ.',
    hint: 'Run it again.',
  })
}

function checked(password: string): string {
  if (password.length >= shortestPassword && !/[\r\n]/.test(password)) return password
  throw receiverError({
    code: 'not_a_password',
    message: `A password has at least ${shortestPassword} characters, all on one line.`,
    hint: 'Choose a longer one.',
  })
}
