// The list of accounts to be funded, beside the inventory.

import { open, readFile, rename } from 'node:fs/promises'
import { z } from 'zod'
import { createTurns } from '../../../../platform/async/turns.ts'
import { type Address, parseTypedAddress } from '../../../../protocol/index.ts'
import { toolError } from '../../../../scripts/lib/shared/errors.ts'

const listSchema = z.array(
  z.object({
    host: z.string(),
    address: z.string().transform(parseTypedAddress),
    /** When it was entered, ISO 8601. */
    since: z.string(),
  }),
)

/** An account stays in the list when its host gets another key: there may be money in it. */
export interface Account {
  readonly host: string
  readonly address: Address
  readonly since: string
}

export function accountsFile(inventory: string): string {
  return `${inventory.replace(/\.ya?ml$/, '')}.accounts.json`
}

/** @throws UraidenError `accounts_invalid` */
export async function readAccounts(file: string): Promise<readonly Account[]> {
  try {
    return listSchema.parse(JSON.parse(await readFile(file, 'utf8')))
  } catch (cause) {
    if ((cause as { readonly code?: string }).code === 'ENOENT') return []
    throw toolError({
      code: 'accounts_invalid',
      message: `The list of accounts ${file} cannot be read.`,
      cause,
    })
  }
}

/** The list with this account as its host's newest; the same list when it is that already. */
function withAccount(list: readonly Account[], account: Account): readonly Account[] {
  const newest = accountOf(list, account.host)
  if (newest?.address === account.address) return list
  const others = list.filter(
    ({ host, address }) => host !== account.host || address !== account.address,
  )
  return [...others, account]
}

export function accountOf(list: readonly Account[], host: string): Account | undefined {
  return list.findLast((each) => each.host === host)
}

/** One after the other: hosts are done at the same time. */
export function createAccountList(file: string, now: () => Date = () => new Date()) {
  const turns = createTurns()
  const register = async (host: string, address: Address): Promise<boolean> => {
    const before = await readAccounts(file)
    const after = withAccount(before, { host, address, since: now().toISOString() })
    if (after === before) return false
    await writeDurably(file, `${JSON.stringify(after, undefined, 2)}\n`)
    return true
  }
  return {
    /** True when it was not in the list yet. */
    register: (host: string, address: Address): Promise<boolean> =>
      turns.take(() => register(host, address)),
  }
}

export type AccountList = ReturnType<typeof createAccountList>

async function writeDurably(path: string, text: string): Promise<void> {
  const file = await open(`${path}.new`, 'w', 0o644)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
