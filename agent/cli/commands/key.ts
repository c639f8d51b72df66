// uraiden-agent key new, import, address.

import { createOutput, toJson } from '../../../platform/cli/output.ts'
import {
  askPassword,
  createKeyFile,
  findPassword,
  importKeyFile,
  loadSigner,
} from '../../../platform/keys/index.ts'
import { type Signer, UraidenError } from '../../../protocol/index.ts'
import { loadAgentConfig, variables } from '../../config.ts'
import { configFile, passwordSources } from '../../setup.ts'
import { type ExitCode, exitCode } from '../exit-codes.ts'
import type { GlobalOptions } from '../session.ts'

export interface KeyOptions extends GlobalOptions {
  readonly passwordFile?: string
}

export async function keyNew(file: string, options: KeyOptions): Promise<ExitCode> {
  const signer = await createKeyFile(file, await newPassword(options))
  return written(file, signer, options)
}

export async function keyImport(from: string, to: string, options: KeyOptions): Promise<ExitCode> {
  const ask = process.stdin.isTTY ? () => askPassword(`Password of ${from}: `) : undefined
  const source = { file: from, password: { variable: variables.password, prompt: ask } }
  const signer = await importKeyFile(source, to, await newPassword(options))
  return written(to, signer, options)
}

export async function keyAddress(file: string | undefined, options: KeyOptions): Promise<ExitCode> {
  const output = createOutput(options.json ?? false)
  const config = file === undefined ? await loadAgentConfig(configFile(options.config)) : undefined
  const signer = await loadSigner({
    file: file ?? config?.key ?? '',
    password: passwordSources(options.passwordFile ?? config?.password),
    warn: output.say,
  })
  output.print(output.json ? toJson({ address: signer.address }) : signer.address)
  return exitCode.ok
}

function written(file: string, { address }: Signer, options: KeyOptions): ExitCode {
  const output = createOutput(options.json ?? false)
  if (output.json) output.print(toJson({ file, address }))
  else {
    output.print(`Key written to ${file} (encrypted; only its owner can read it).`)
    output.print(`Address ${address}. Send it tokens, and ether for the fees of transactions.`)
    output.print('Keep a copy of the file and its password: without them the money is lost.')
  }
  return exitCode.ok
}

function newPassword({ passwordFile }: KeyOptions): Promise<string> {
  return findPassword({
    ...passwordSources(passwordFile),
    prompt: process.stdin.isTTY ? askTwice : undefined,
  })
}

/** What is typed unseen is typed twice: a mistake would lock the key up for ever. */
async function askTwice(): Promise<string> {
  const password = await askPassword('New password: ')
  if ((await askPassword('Once more: ')) === password) return password
  throw new UraidenError({
    code: 'key_password_mistyped',
    message: 'The two passwords differ.',
    hint: 'Nothing was written. Run it again.',
  })
}
