// Blocks of YAML: read by the program that they are for.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import { loadAgentConfig } from '../../../agent/program/configuration/config.ts'
import { loadReceiverConfig } from '../../../receiver/program/config.ts'
import { loadWatchConfig } from '../../../receiver/program/watchtower/config.ts'
import type { Block } from './find.ts'

type Settings = { readonly [name: string]: unknown }

const contract = '0x74434527b8E6C8296506D61d0faF3D18c9e4649A'

/** What a part of a configuration leaves to the rest of the file. */
const least = { rpc: 'http://127.0.0.1:8545', contract, key: 'key.json' }
const receivers = { 'living-room': { url: 'http://192.168.1.104:5000' } }

/** A page shows its beginning. */
const scryptHash = `$scrypt$ln=14,r=8,p=1$${'A'.repeat(22)}$${'A'.repeat(43)}`

interface Reader {
  readonly name: string
  readonly around: (part: Settings) => Settings
  readonly read: (file: string) => Promise<unknown>
}

const receiver = (file: string) => loadReceiverConfig({ file, environment: {} })

const readers: readonly Reader[] = [
  {
    name: 'agent.yaml',
    around: (part) => ({ ...least, receivers, ...part }),
    read: (file) => loadAgentConfig(file, {}),
  },
  { name: 'receiver.yaml', around: (part) => ({ ...least, ...part }), read: receiver },
  {
    name: 'resources of receiver.yaml',
    around: (part) => ({ ...least, resources: part }),
    read: receiver,
  },
  {
    name: 'a resource of receiver.yaml',
    around: (part) => ({
      ...least,
      resources: { '/api/*': { upstream: 'http://127.0.0.1:3000', ...part } },
    }),
    read: receiver,
  },
  {
    name: 'watchtower.yaml',
    around: (part) => ({ ...least, ...part }),
    read: (file) => loadWatchConfig({ file, environment: {} }),
  },
]

interface Read {
  /** Which programs take it. */
  readonly by: readonly string[]
  /** What the others say. */
  readonly refusals: readonly string[]
  /** The file that its first line names. */
  readonly named: string | undefined
}

export async function readConfiguration({ text }: Block, folder: string): Promise<Read> {
  const by: string[] = []
  const refusals: string[] = []
  for (const { name, around, read } of readers) {
    const file = join(folder, 'config.yaml')
    const part = parse(text.replace('$scrypt$ln=14,r=8,p=1$…', scryptHash))
    // `contracts` stands for `contract`.
    const whole = around(part)
    const { contract: one, ...others } = whole
    await writeFile(file, stringify('contracts' in part ? others : { ...others, contract: one }))
    await read(file).then(
      () => by.push(name),
      (error: Error) => refusals.push(`${name}: ${error.message}`),
    )
  }
  return { by, refusals, named: /^# (\S+\.yaml)$/m.exec(text)?.[1] }
}
