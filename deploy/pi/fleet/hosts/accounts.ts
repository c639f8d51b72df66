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

export interface AccountListOptions {
  readonly file: string
  /** Hosts whose account may be another one than before: a person knows that they were set up anew. */
  readonly renewed: readonly string[]
  readonly now?: () => Date
}

/** One after the other: hosts are done at the same time. */
export function createAccountList({ file, renewed, now = () => new Date() }: AccountListOptions) {
  const turns = createTurns()
  const register = async (host: string, address: Address): Promise<boolean> => {
    const before = await readAccounts(file)
    if (!renewed.includes(host)) demandSameAccount(before, host, address)
    const after = withAccount(before, { host, address, since: now().toISOString() })
    if (after === before) return false
    await writeDurably(file, `${JSON.stringify(after, undefined, 2)}\n`)
    return true
  }
  return {
    /**
     * True when it was not in the list yet.
     * @throws UraidenError `account_changed`
     */
    register: (host: string, address: Address): Promise<boolean> =>
      turns.take(() => register(host, address)),
  }
}

export type AccountList = ReturnType<typeof createAccountList>

/**
 * Money goes to the account that a host names. One that names another is set up anew, or in somebody's hands.
 * @throws UraidenError `account_changed`
 */
export function demandSameAccount(list: readonly Account[], host: string, address: Address): void {
  const before = accountOf(list, host)
  if (before === undefined || before.address === address) return
  throw toolError({
    code: 'account_changed',
    message: `${host} says that its account is ${address}; until now it was ${before.address}.`,
    hint: `If you have set it up anew: provision apply --new-account ${host}. Else somebody has got into it: send nothing to it. The former account may still own something.`,
  })
}

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
