// One Raspberry Pi without an inventory: what the command line says, in the inventory's form.

import { resolve } from 'node:path'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'
import { type Inventory, inventoryOf, inventorySchema } from './inventory.ts'

export interface SingleHost {
  readonly host?: string
  readonly rpc?: string
  readonly contract?: string
  readonly template?: string
  readonly packages?: string
}

const target = /^(?:([a-z_][a-z0-9_-]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]{1,5}))?$/

/** @throws UraidenError `usage_host` */
export function singleHost(options: SingleHost): Inventory {
  const { host = '', rpc, contract, template, packages } = options
  const [, user, address, port] = target.exec(host) ?? []
  if (address === undefined || rpc === undefined || contract === undefined || !template) {
    throw toolError({
      code: 'usage_host',
      message:
        address === undefined
          ? `"${host}" is not a host.`
          : '--host needs --rpc, --contract and --template.',
    })
  }
  const bare = address.replace(/^\[|\]$/g, '')
  const name = bare.toLowerCase().replace(/[^a-z0-9]+/g, '-')
  const written = inventorySchema.parse({
    chain: { rpc, contract },
    template: resolve(template),
    packages: resolve(packages ?? 'dist-pi'),
    hosts: {
      [name]: {
        address: bare,
        ssh: { user, port: port === undefined ? undefined : Number(port) },
      },
    },
  })
  // The account goes into provision.accounts.json of this folder.
  return inventoryOf(resolve('provision.yaml'), written)
}
