// The commands of host.sh on one host, with types.

import { z } from 'zod'
import type { Finding } from '../../../../platform/cli/doctor.ts'
import { readPrivateFile } from '../../../../platform/keys/private-file.ts'
import { type Address, parseAddress, UraidenError } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { type Facts, readFacts } from './facts.ts'
import type { HostSettings } from './inventory.ts'
import { type Package, sha256 } from './packages.ts'
import type { Connection, Finished, Input } from './ssh.ts'
import type { PasswordStore } from './template.ts'

export interface Host {
  readonly name: string
  readonly facts: () => Promise<Facts>
  /** Uploads the package unless it is there, and installs it. */
  readonly install: (
    file: Package,
    kept: readonly string[],
    how: 'newer' | 'older',
  ) => Promise<void>
  /** Only these packages stay there. */
  readonly keep: (names: readonly string[]) => Promise<void>
  readonly makePassword: (store: PasswordStore) => Promise<void>
  readonly makeKey: () => Promise<void>
  readonly importKey: (from: NonNullable<HostSettings['importKey']>) => Promise<void>
  readonly writeConfig: (text: string) => Promise<void>
  readonly address: () => Promise<Address>
  readonly start: () => Promise<void>
  readonly reload: () => Promise<void>
  readonly disable: () => Promise<void>
  readonly purge: () => Promise<void>
  readonly service: () => Promise<ServiceState>
  /** Of the service's journal, the last so many since a time that journalctl understands. */
  readonly logs: (wanted: LogWish) => Promise<readonly string[]>
  readonly doctor: () => Promise<readonly NamedFinding[]>
  /** JSON of a command of uraiden-agent; its error is this call's error. */
  readonly agent: (...args: readonly string[]) => Promise<unknown>
}

/** One line of `uraiden-agent doctor`. */
export interface NamedFinding extends Finding {
  readonly check: string
}

export interface LogWish {
  readonly lines: number
  readonly since?: string | undefined
}

export interface ServiceState {
  readonly active: boolean
  /** How often systemd has started it again. */
  readonly restarts: number
}

const findings = z.array(
  z.object({
    check: z.string(),
    verdict: z.enum(['ok', 'warning', 'failure']),
    says: z.string(),
  }),
)
const agentError = z.object({ error: z.string(), message: z.string(), hint: z.string() })

export function hostOf({ name }: HostSettings, { run }: Connection): Host {
  async function done(command: readonly string[], input?: Input): Promise<string> {
    const finished = await run(command, input)
    if (finished.code === 0) return finished.stdout
    throw failed(command, finished)
  }
  const nothing = async (...command: readonly string[]) => void (await done(command))
  async function agent(...args: readonly string[]): Promise<unknown> {
    const finished = await run(['agent', '--json', ...args])
    const said = readJson(finished.stdout)
    const { success, data } = agentError.safeParse(said)
    if (success) {
      const { error: code, message, hint } = data
      throw new UraidenError({ code, message, hint })
    }
    // A doctor that finds something says so with its exit code, too.
    if (said !== undefined && (finished.code === 0 || args[0] === 'doctor')) return said
    throw failed(['uraiden-agent', ...args], finished)
  }
  return {
    name,
    facts: async () => readFacts(await done(['facts'])),
    install: async (file, kept, how) => {
      if (!kept.includes(file.name)) {
        await done(['receive', file.name, await sha256(file.path)], { file: file.path })
      }
      await nothing('install', file.name, file.version, ...(how === 'older' ? ['downgrade'] : []))
    },
    keep: (names) => nothing('keep', ...names),
    makePassword: (store) => nothing('password', store),
    makeKey: () => nothing('key-new'),
    importKey: async ({ file, password }) => {
      const old = password === undefined ? '' : await readPrivateFile(password)
      const [firstLine = ''] = old.split('\n')
      await done(['key-import'], `${firstLine}\n${await readPrivateFile(file)}`)
    },
    writeConfig: async (text) => void (await done(['config'], text)),
    address: async () => {
      const { address } = z.object({ address: z.string() }).parse(await agent('key', 'address'))
      return parseAddress(address)
    },
    start: () => nothing('start'),
    reload: () => nothing('reload'),
    disable: () => nothing('disable'),
    purge: () => nothing('purge'),
    service: async () => {
      const [active = '', restarts = '0'] = (await done(['service'])).trim().split(' ')
      return { active: active === 'active', restarts: Number(restarts) }
    },
    logs: async ({ lines, since }) => {
      const said = await done(['logs', `${lines}`, ...(since === undefined ? [] : [since])])
      // journalctl remarks where a boot begins, and that there is nothing.
      return said.split('\n').filter((line) => line !== '' && !line.startsWith('-- '))
    },
    doctor: async () => findings.parse(await agent('doctor')),
    agent,
  }
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function failed(command: readonly string[], { code, stderr, stdout }: Finished): UraidenError {
  const said = (stderr.trim() || stdout.trim()).split('\n').slice(-4).join(' ')
  return toolError({
    code: code === 10 ? 'package_older' : 'host_command_failed',
    message: `${command.slice(0, 2).join(' ')} failed: ${said || `exit code ${code}`}`,
    hint:
      code === 10
        ? 'State that a newer version has written may be unreadable for it. Put the newer package into the folder.'
        : 'The host is as it was before this step. Run it again when the cause is gone.',
  })
}
