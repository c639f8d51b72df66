// The first files of a program: its configuration, and a key with its password. All of them or none.
import { randomBytes } from 'node:crypto'
import { mkdir, rm, stat } from 'node:fs/promises'
import { homedir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import type { Address } from '../../protocol/index.ts'
import { platformError } from '../errors/index.ts'
import { createKeyFile } from '../keys/index.ts'
import { writePrivateFile } from '../keys/private-file.ts'

export interface FirstFiles {
  readonly config: string
  readonly key: string
  readonly password: string
}

/** A person's own; `named` is a file that the command line names. Keys lie beside it. */
export function firstFiles(
  program: 'agent' | 'receiver',
  named: string | undefined,
  environment: NodeJS.ProcessEnv = process.env,
): FirstFiles {
  const folder = join(environment.XDG_CONFIG_HOME ?? join(homedir(), '.config'), 'uraiden')
  const config = resolve(named ?? join(folder, `${program}.yaml`))
  const beside = (name: string) => join(dirname(config), `${program}-${name}`)
  return { config, key: beside('key.json'), password: beside('password') }
}

/** @throws UraidenError `config_exists` */
export async function refuseExisting(file: string): Promise<void> {
  const found = await stat(file).catch(() => undefined)
  if (found === undefined) return
  throw platformError({
    code: 'config_exists',
    message: `There is a configuration ${file} already.`,
  })
}

/**
 * Makes a key with a random password, and writes `config` with what it says of the key's address. After an error
 * nothing is left of what was made.
 * @throws UraidenError `key_file_exists`, `key_file_unwritable`
 */
export async function writeFirstFiles(
  files: FirstFiles,
  config: (address: Address) => string,
): Promise<Address> {
  const made: string[] = []
  const write = async <Value>(file: string, work: () => Promise<Value>): Promise<Value> => {
    const result = await work()
    made.push(file)
    return result
  }
  try {
    await mkdir(dirname(files.config), { recursive: true, mode: 0o700 })
    const password = randomBytes(24).toString('base64url')
    await write(files.password, () => writePrivateFile(files.password, `${password}\n`))
    const { address } = await write(files.key, () => createKeyFile(files.key, password))
    await write(files.config, () => writePrivateFile(files.config, config(address)))
    return address
  } catch (error) {
    await Promise.all(made.map((file) => rm(file, { force: true })))
    throw error
  }
}

/** A text as YAML has it on one line, whatever is in it. */
export function yamlText(text: string): string {
  return JSON.stringify(text)
}
