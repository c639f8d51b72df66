// Takes a backup of the balance proofs, of a running receiver or of a state that nobody uses.
import {
  type Address,
  parseAddress,
  parseBlockNumber,
  type Signer,
} from '../../../protocol/index.ts'
import type { ChannelName, PaymentLedger } from '../../channels/records.ts'
import { openStore } from '../../channels/store.ts'
import { ownerOfDatabase } from '../../cluster/stopped.ts'
import { readLedgers } from '../../cluster/stored-ledgers.ts'
import type { Receiver } from '../../core/receiver.ts'
import { openDatabase } from '../../postgres/schema.ts'
import type { PostgresSettings } from '../../postgres/settings.ts'
import {
  type Backup,
  type BackupChannel,
  type BackupIdentity,
  formatBackup,
  formatUnsigned,
  parseBackup,
} from './document.ts'
import { replaceFile } from './file.ts'

type Ledgers = ReadonlyMap<ChannelName, PaymentLedger>

/** The proofs as they are on disk now: whatever was served before is in it. */
export async function backupOf(
  receiver: Pick<Receiver, 'signer' | 'chainId' | 'contract' | 'ledgers'>,
): Promise<string> {
  const { signer, chainId, contract } = receiver
  const identity = { chainId, contract, receiver: signer.address }
  return formatBackup(backup(identity, await receiver.ledgers()), signer)
}

/**
 * The same while no receiver runs. `signer` is the receiver's.
 * @throws UraidenError those of `openStore`, also when the state is of another receiver
 */
export async function backupOfState(
  folder: string,
  owner: Pick<BackupIdentity, 'chainId' | 'contract'>,
  signer: Signer,
): Promise<string> {
  const identity = { ...owner, receiver: signer.address }
  const store = await openStore(folder, { ...owner, account: signer.address })
  try {
    return formatBackup(backup(identity, await store.readLedgers()), signer)
  } finally {
    await store.close()
  }
}

/**
 * The same of a state that receivers share, whether they run or not.
 * @throws UraidenError `state_missing`, `state_of_another` when it is another receiver's, those of `openDatabase`
 */
export async function backupOfDatabase(
  settings: PostgresSettings,
  signer: Signer,
): Promise<string> {
  const { chainId, contract } = await ownerOfDatabase(settings)
  const owner = { chainId, contract, account: signer.address }
  const database = await openDatabase(settings, owner)
  try {
    const identity = { chainId, contract, receiver: signer.address }
    return formatBackup(backup(identity, await readLedgers(database)), signer)
  } finally {
    await database.close()
  }
}

/** The same by who keeps copies for a receiver, and cannot sign for it. */
export function unsignedBackup(identity: BackupIdentity, ledgers: Ledgers): string {
  return formatUnsigned(backup(identity, ledgers))
}

export interface WrittenBackup {
  readonly file: string
  readonly channels: number
  /** Of all balances, in the token's smallest unit. */
  readonly balanceSum: bigint
}

/**
 * Puts a backup where the one before was, if it is whole; what came over a wire may not be.
 * @throws UraidenError `backup_damaged`, `backup_unwritable`
 */
export async function writeBackup(file: string, text: string): Promise<WrittenBackup> {
  const { channels } = parseBackup(text)
  await replaceFile(file, text)
  const balanceSum = channels.reduce((sum, { claims }) => sum + claims.highest, 0n)
  return { file, channels: channels.length, balanceSum }
}

function backup(identity: BackupIdentity, ledgers: Ledgers): Backup {
  const channels = [...ledgers].flatMap(([name, ledger]) => channelOf(name, ledger))
  return { ...identity, created: new Date().toISOString(), channels }
}

/** Where nothing was paid and nothing is bound there is nothing to lose. */
function channelOf(name: ChannelName, ledger: PaymentLedger): readonly BackupChannel[] {
  const { proof, collecting: _, answers: __, ...kept } = ledger
  if (proof === undefined && kept.requestKey === undefined) return []
  return [{ ...parseName(name), ...kept, ...(proof && { proof }) }]
}

function parseName(name: ChannelName): { readonly sender: Address; readonly openBlock: number } {
  const [sender = '', openBlock = ''] = name.split('/')
  return { sender: parseAddress(sender), openBlock: parseBlockNumber(openBlock) }
}
