// fleet.yaml: which Raspberry Pis there are and what each is to be; checked when it is read.

import { dirname, resolve } from 'node:path'
import { z } from 'zod'
import { windowCaps } from '../../../../agent/budget/config.ts'
import {
  address,
  amountText,
  count,
  httpUrl,
  jsonSchemaOf,
  loadConfig,
} from '../../../../platform/config/index.ts'
import { defined } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { firstBootSchema } from './first-boot-schema.ts'

const file = z.string().min(1)

/** A name that is a host name, too (RFC 1123). */
const hostName = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, {
  error: 'a name has up to 63 lower-case letters, digits and hyphens.',
})

const sshSchema = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/, { error: 'this is not the name of a user.' })
    .optional(),
  port: count.min(1).max(65_535).optional(),
  identity: file.optional().describe('private key file of ssh'),
  knownHosts: file.optional().describe('in place of ~/.ssh/known_hosts'),
  hostKeys: z
    .enum(['strict', 'accept-new'])
    .optional()
    .describe('strict: a host whose key is not known is refused'),
  passwordFile: file.optional().describe('log in with the password in this file, mode 600'),
})

const values = z.record(
  z.string().regex(/^[A-Za-z][A-Za-z0-9_]*$/, {
    error: 'a value’s name has letters, digits and underscores.',
  }),
  z.union([z.string(), z.number(), z.boolean()]),
)

const budget = z.strictObject({ request: amountText.optional(), ...windowCaps })

const targets = {
  tokens: amountText.optional().describe('what an account is topped up to'),
  ether: amountText.optional().describe('the same in ETH; leave it out where receivers relay'),
}

const funding = z.strictObject({
  key: file.describe('keystore of the account that pays'),
  password: file.optional().describe('its password’s file, mode 600'),
  ...targets,
  most: z
    .strictObject({
      each: amountText.describe('tokens for one account, in all runs together'),
      all: amountText.describe('tokens for all accounts, in all runs together'),
      etherEach: amountText.optional(),
      etherAll: amountText.optional(),
    })
    .describe('never more than this'),
  confirmations: count.min(1).max(1000).default(1),
  mostGasPrice: amountText.optional().describe('pay no more for a unit of gas: 50 gwei'),
})

export const inventorySchema = z
  .strictObject({
    chain: z.strictObject({
      rpc: httpUrl.describe('as the Raspberry Pis reach it'),
      fundingRpc: httpUrl.optional().describe('as this computer reaches it, where that differs'),
      contract: address.describe('the channels contract'),
      chainId: count.positive().optional(),
    }),
    template: file.describe('agent.yaml with placeholders, beside this file'),
    packages: file.default('dist-pi').describe('folder with uraiden-agent_VERSION_ARCH.deb'),
    ssh: sshSchema.prefault({}),
    budget: budget.prefault({}),
    values: values.default({}),
    funding: funding.optional(),
    firstBoot: firstBootSchema.optional(),
    hosts: z
      .record(
        hostName,
        z.strictObject({
          address: z
            .string()
            .regex(/^[A-Za-z0-9_][A-Za-z0-9_.:%-]*$|^::/, {
              error: 'this is not a host name or an IP address.',
            })
            .describe('name or IP address for ssh'),
          ssh: sshSchema.prefault({}),
          budget: budget.prefault({}),
          values: values.default({}),
          funding: z.strictObject(targets).prefault({}),
          importKey: z
            .strictObject({ file, password: file.optional() })
            .optional()
            .describe('bring this key file instead of making a key on the Pi'),
        }),
      )
      .refine((hosts) => Object.keys(hosts).length > 0, { error: 'there is no host in it.' }),
  })
  // A cap that is not there would be no cap.
  .refine(
    ({ funding, hosts }) =>
      [funding, ...Object.values(hosts).map((host) => host.funding)].every(
        (each) => each?.ether === undefined || funding?.most.etherEach !== undefined,
      ) && (funding?.most.etherEach === undefined) === (funding?.most.etherAll === undefined),
    { path: ['funding', 'most'], error: 'funding with ether needs "etherEach" and "etherAll".' },
  )

export type InventoryFile = z.output<typeof inventorySchema>
export type FundingSettings = z.output<typeof funding>

/** One host with what holds for all merged into it; files are absolute. */
export interface HostSettings {
  readonly name: string
  readonly address: string
  readonly ssh: SshSettings
  readonly budget: Readonly<Record<string, string>>
  readonly values: Readonly<Record<string, string | number | boolean>>
  readonly funding: { readonly tokens?: string; readonly ether?: string }
  readonly importKey: { readonly file: string; readonly password?: string | undefined } | undefined
}

export interface SshSettings {
  readonly user: string
  readonly port: number
  readonly hostKeys: 'strict' | 'accept-new'
  readonly identity?: string
  readonly knownHosts?: string
  readonly passwordFile?: string
}

export interface Inventory {
  /** Beside it are the list of accounts and the records of transfers. */
  readonly file: string
  readonly chain: InventoryFile['chain']
  readonly template: string
  readonly packages: string
  readonly funding: FundingSettings | undefined
  readonly firstBoot: InventoryFile['firstBoot']
  readonly hosts: readonly HostSettings[]
}

/** @throws UraidenError `config_missing`, `config_unreadable`, `config_invalid` with file, line and key */
export async function loadInventory(file: string): Promise<Inventory> {
  return inventoryOf(file, await loadConfig({ file, schema: inventorySchema }))
}

export function inventoryJsonSchema(): object {
  return { title: 'fleet.yaml', ...jsonSchemaOf(inventorySchema) }
}

export function inventoryOf(path: string, written: InventoryFile): Inventory {
  const folder = dirname(resolve(path))
  const at = (name: string) => resolve(folder, name)
  const atIfGiven = (name: string | undefined) => (name === undefined ? undefined : at(name))
  const funding = written.funding && {
    ...written.funding,
    key: at(written.funding.key),
    password: atIfGiven(written.funding.password),
  }
  return {
    file: resolve(path),
    chain: written.chain,
    template: at(written.template),
    packages: at(written.packages),
    funding,
    firstBoot: written.firstBoot,
    hosts: Object.entries(written.hosts).map(([name, host]) => ({
      name,
      address: host.address,
      ssh: sshOf({ ...written.ssh, ...defined(host.ssh) }, at),
      budget: defined({ ...written.budget, ...defined(host.budget) }),
      values: { ...written.values, ...host.values, ...builtIn(written, name, host.address) },
      funding: defined({
        tokens: host.funding.tokens ?? written.funding?.tokens,
        ether: host.funding.ether ?? written.funding?.ether,
      }),
      importKey: host.importKey && {
        file: at(host.importKey.file),
        password: atIfGiven(host.importKey.password),
      },
    })),
  }
}

/** What a template may use without anybody writing it down. */
function builtIn({ chain }: InventoryFile, host: string, address: string) {
  const { rpc, contract, chainId } = chain
  return defined({ host, address, rpc, contract, chainId })
}

function sshOf(written: z.output<typeof sshSchema>, at: (name: string) => string): SshSettings {
  const { user = 'pi', port = 22, hostKeys = 'strict', ...files } = written
  const paths = Object.entries(defined(files)).map(([key, name]) => [key, at(name)])
  return { user, port, hostKeys, ...Object.fromEntries(paths) }
}

/**
 * Those that were named, in the order of the inventory; all when none was.
 * @throws UraidenError `host_unknown`
 */
export function chosenHosts(
  { hosts, file }: Pick<Inventory, 'hosts' | 'file'>,
  names: readonly string[],
): readonly HostSettings[] {
  const unknown = names.filter((name) => !hosts.some((host) => host.name === name))
  if (unknown.length > 0) {
    throw toolError({
      code: 'host_unknown',
      message: `${file} has no host ${unknown.join(', ')}.`,
      hint: `It has: ${hosts.map(({ name }) => name).join(', ')}.`,
    })
  }
  return names.length === 0 ? hosts : hosts.filter(({ name }) => names.includes(name))
}
