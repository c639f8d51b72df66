// What the chain says of channels, as rows of a shared state.
import {
  type Address,
  addressToBytes,
  parseAddress,
  storedAddress,
  toHex,
} from '../../protocol/index.ts'
import {
  type ChainFacts,
  type ChannelEnd,
  type ChannelName,
  channelName,
} from '../channels/records.ts'

/** The columns of `channel` that say what the chain does. */
export interface FactsRow extends Record<string, unknown> {
  readonly sender: Uint8Array
  readonly open_block: bigint
  /** Null: the chain says nothing of it. */
  readonly state: ChainFacts['state'] | null
  readonly deposit: bigint
  readonly withdrawn: bigint
  readonly end_balance: bigint | null
  readonly end_block: bigint | null
  readonly end_contract_block: bigint | null
}

export const factsColumns =
  'sender, open_block, state, deposit, withdrawn, end_balance, end_block, end_contract_block'

/** Of several rows: a list for each column, for `unnest`, in the order of `factsColumns`. */
export const factsTypes =
  'bytea[], bigint[], text[], numeric[], numeric[], numeric[], bigint[], bigint[]'

export function nameOfRow({ sender, open_block }: Pick<FactsRow, 'sender' | 'open_block'>) {
  return channelName(addressOf(sender), Number(open_block))
}

/** Remembered, where `addressFromBytes` computes a checksum each time: rows of one channel come again and again. */
function addressOf(bytes: Uint8Array): Address {
  return parseAddress(toHex(bytes))
}

/** Sender and open block of each: two lists. */
export function nameColumns(names: readonly ChannelName[]): readonly (readonly unknown[])[] {
  const parts = names.map((name) => name.split('/'))
  return [
    parts.map(([sender = '']) => Buffer.from(addressToBytes(storedAddress(sender)))),
    parts.map(([, openBlock]) => openBlock),
  ]
}

export function factsValues(
  facts: ReadonlyMap<ChannelName, ChainFacts | undefined>,
): readonly (readonly unknown[])[] {
  const all = [...facts.values()]
  return [
    ...nameColumns([...facts.keys()]),
    all.map((each) => each?.state ?? null),
    all.map((each) => `${each?.deposit ?? 0n}`),
    all.map((each) => `${each?.withdrawn ?? 0n}`),
    all.map((each) => (each?.end ? `${each.end.balance}` : null)),
    all.map((each) => each?.end?.block ?? null),
    all.map((each) => each?.end?.contractBlock ?? null),
  ]
}

/** Undefined where the chain says nothing of it. */
export function factsOfRow(row: FactsRow): ChainFacts | undefined {
  const { state, deposit, withdrawn } = row
  if (state === null) return undefined
  const end = endOfRow(row)
  return {
    sender: addressOf(row.sender),
    openBlock: Number(row.open_block),
    ...{ deposit, withdrawn, state },
    ...(end && { end }),
  }
}

function endOfRow({
  end_balance: balance,
  end_block: block,
  end_contract_block: contractBlock,
}: FactsRow): ChannelEnd | undefined {
  if (balance === null || block === null || contractBlock === null) return undefined
  return { balance, block: Number(block), contractBlock: Number(contractBlock) }
}
