// Puts a backup back into a state that no receiver uses.

import {
  type Address,
  balanceProofDigest,
  fromHex,
  isTickForm,
  type TokenAmount,
} from '../../../protocol/index.ts'
import type { ChannelId } from '../../channels/book.ts'
import { mergeLedger } from '../../channels/merge.ts'
import { proofsOf } from '../../channels/proofs.ts'
import {
  type ChannelName,
  channelName,
  type PaymentLedger,
  type ProvenBalance,
} from '../../channels/records.ts'
import { type ChannelStore, openStore } from '../../channels/store.ts'
import { whileStopped } from '../../cluster/stopped.ts'
import { readLedgers } from '../../cluster/stored-ledgers.ts'
import { saveLedgersBy } from '../../cluster/whole-state.ts'
import { receiverError } from '../../errors/index.ts'
import type { PostgresSettings } from '../../postgres/settings.ts'
import { createCommitmentCheck, isShownTick } from '../../signatures/commitments.ts'
import { chooseRecovery, isSignedBy, type Recovery } from '../../signatures/recovery.ts'
import {
  type Backup,
  type BackupChannel,
  type BackupIdentity,
  parseBackup,
  type ReadBackup,
} from './document.ts'

export interface RestoreOptions {
  /** The backup's text. */
  readonly text: string
  /** The state folder, made if missing; or the database that receivers share. */
  readonly state: string | PostgresSettings
  /** Whose state it is; a backup of another is refused. The chain is left to the backup when not given. */
  readonly contract: Address
  readonly receiver: Address
  readonly chainId?: bigint
}

export interface RestoreReport {
  /** Channels whose balance was raised, or that were not there. */
  readonly restored: number
  /** Channels that stood as high or higher already: that proof stays. */
  readonly kept: number
  /** Of the backup, ISO 8601. */
  readonly created: string
  /** Of all channels that are there now, in the token's smallest unit. */
  readonly balanceSum: TokenAmount
  /** False of a backup of an earlier version: what only the receiver knew of channels was not taken from it. */
  readonly signed: boolean
}

/**
 * All channels of the backup, or none: everything is checked first, and one write does it.
 * @throws UraidenError `backup_damaged`, `backup_format_unknown`, `backup_of_another`,
 * `backup_signature_wrong`, and those of `openStore` or `whileStopped`
 */
export async function restoreBackup(options: RestoreOptions): Promise<RestoreReport> {
  const { state, contract, receiver } = options
  const backup = parseBackup(options.text)
  checkIdentity(backup, options)
  const { recovery } = await chooseRecovery()
  checkSignatures(backup, recovery)
  const owner = { chainId: backup.chainId, contract, account: receiver }
  if (typeof state !== 'string') {
    return whileStopped(state, owner, async (sql) => {
      const target = { readLedgers: () => readLedgers(sql), saveLedgers: saveLedgersBy(sql) }
      return mergeInto(target, backup)
    })
  }
  const store = await openStore(state, owner)
  try {
    return await mergeInto(store, backup)
  } finally {
    await store.close()
  }
}

async function mergeInto(
  store: Pick<ChannelStore, 'readLedgers' | 'saveLedgers'>,
  backup: ReadBackup,
): Promise<RestoreReport> {
  const existing = await store.readLedgers()
  const merged = new Map(backup.channels.map((channel) => mergedEntry(existing, channel)))
  // What came after the backup is not known here: it may have been bound.
  await store.saveLedgers(merged, 'next')
  const after = new Map([...existing, ...merged])
  const kept = backup.channels.filter((channel) => {
    const before = existing.get(nameOf(channel))
    return before !== undefined && before.claims.highest >= channel.claims.highest
  }).length
  return {
    restored: backup.channels.length - kept,
    kept,
    created: backup.created,
    signed: backup.signed,
    balanceSum: [...after.values()].reduce((sum, { claims }) => sum + claims.highest, 0n),
  }
}

function mergedEntry(
  existing: ReadonlyMap<ChannelName, PaymentLedger>,
  channel: BackupChannel,
): readonly [ChannelName, PaymentLedger] {
  const name = nameOf(channel)
  return [name, mergeLedger(existing.get(name), channel)]
}

function nameOf({ sender, openBlock }: BackupChannel): ChannelName {
  return channelName(sender, openBlock)
}

function checkIdentity(backup: BackupIdentity, wanted: RestoreOptions): void {
  for (const [field, found, expected] of [
    ['chain', backup.chainId, wanted.chainId ?? backup.chainId],
    ['contract', backup.contract, wanted.contract],
    ['receiver', backup.receiver, wanted.receiver],
  ] as const) {
    if (found === expected) continue
    throw receiverError({
      code: 'backup_of_another',
      message: `The backup is of ${field} ${found}; here it is ${expected}.`,
    })
  }
}

function checkSignatures({ channels, ...identity }: Backup, by: Recovery): void {
  const digestOf = (form: 'seed' | 'eip712') =>
    balanceProofDigest(form, identity, identity.receiver, by.keccak)
  const digests = { seed: digestOf('seed'), eip712: digestOf('eip712') }
  const commitments = createCommitmentCheck({ domain: identity, receiver: identity.receiver }, by)
  const isGood = (channel: ChannelId, { balance, form, signature }: ProvenBalance) => {
    if (isTickForm(signature)) return isShownTick(commitments, { ...channel, balance, signature })
    const digest = digests[form](channel.openBlock, balance)
    return isSignedBy(by, fromHex(channel.sender), { digest, signature: fromHex(signature) })
  }
  for (const channel of channels) {
    const { sender, openBlock } = channel
    for (const proven of proofsOf(channel)) {
      if (isGood({ sender, openBlock }, proven)) continue
      const { balance } = proven
      throw receiverError({
        code: 'backup_signature_wrong',
        message: `The proof of ${balance} in channel ${sender}/${openBlock} is not signed by its sender. Nothing was restored.`,
      })
    }
  }
}
