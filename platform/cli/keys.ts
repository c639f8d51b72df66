// The commands key new, import and address, for both programs.

import type { Signer } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import {
  askPassword,
  createKeyFile,
  findPassword,
  importKeyFile,
  loadSigner,
  type PasswordSources,
} from '../keys/index.ts'
import { type Output, toJson } from './output.ts'
import type { KeyCommands } from './program.ts'

/** Of one program. */
export interface KeyContext {
  readonly output: Output
  /** Where its password is looked for; those of `passwordFrom`. */
  readonly password: PasswordSources
  /** What the account will need. */
  readonly advice: string
}

/** Where a program looks for its key's password; asked for only at a terminal. */
export function passwordFrom(
  sources: Pick<PasswordSources, 'file' | 'variable' | 'credential'>,
): PasswordSources {
  const asks = process.stdin.isTTY === true
  return { ...sources, prompt: asks ? () => askPassword('Password of the key: ') : undefined }
}

/** What the commands need to know of a program. */
export interface KeyProgram<Options> {
  /** `passwordFile` is the configured one; what the options name goes before it. */
  readonly contextOf: (options: Options, passwordFile?: string) => KeyContext
  /** The configured key, for a command that names none. */
  readonly configured: (
    options: Options,
  ) => Promise<{ readonly key: string; readonly password?: string | undefined }>
}

/** For `addKeyCommands`. */
export function keyCommands<Options>({
  contextOf,
  configured,
}: KeyProgram<Options>): KeyCommands<Options> {
  return {
    keyNew: async (file, options) => {
      await newKey(file, contextOf(options))
      return 0
    },
    keyImport: async (from, to, options) => {
      await importKey(from, to, contextOf(options))
      return 0
    },
    keyAddress: async (file, options) => {
      const config = file === undefined ? await configured(options) : undefined
      await showAddress(file ?? config?.key ?? '', contextOf(options, config?.password))
      return 0
    },
  }
}

/** @throws UraidenError those of `createKeyFile` and `findPassword`, `key_password_mistyped` */
async function newKey(file: string, context: KeyContext): Promise<void> {
  tellWritten(file, await createKeyFile(file, await newPassword(context)), context)
}

/** @throws UraidenError those of `importKeyFile` and `findPassword`, `key_password_mistyped` */
async function importKey(from: string, to: string, context: KeyContext): Promise<void> {
  const { variable } = context.password
  const prompt = process.stdin.isTTY ? () => askPassword(`Password of ${from}: `) : undefined
  const source = { file: from, password: { variable, prompt } }
  tellWritten(to, await importKeyFile(source, to, await newPassword(context)), context)
}

/** @throws UraidenError those of `loadSigner` */
async function showAddress(file: string, context: KeyContext): Promise<void> {
  const { output, password } = context
  const { address } = await loadSigner({ file, password, warn: output.say })
  output.print(output.json ? toJson({ address }) : address)
}

function tellWritten(file: string, { address }: Signer, { output, advice }: KeyContext): void {
  if (output.json) output.print(toJson({ file, address }))
  else {
    output.print(`Key written to ${file} (encrypted; only its owner can read it).`)
    output.print(`Address ${address}. ${advice}`)
    output.print('Keep a copy of the file and its password: without them the money is lost.')
  }
}

function newPassword({ password }: KeyContext): Promise<string> {
  return findPassword({ ...password, prompt: process.stdin.isTTY ? askTwice : undefined })
}

/** What is typed unseen is typed twice: a mistake would lock the key up for ever. */
async function askTwice(): Promise<string> {
  const password = await askPassword('New password: ')
  if ((await askPassword('Once more: ')) === password) return password
  throw platformError({
    code: 'key_password_mistyped',
    message: 'The two passwords differ.',
  })
}
