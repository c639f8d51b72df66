// How interface and storage of the channels contract differ from those of the version before.
import { type Fragment, Interface } from 'ethers'
import { readCompiled } from './compiled.ts'

export interface StorageVariable {
  readonly name: string
  readonly type: string
  readonly slot: number
  /** In bytes, from the lowest of the slot. */
  readonly offset: number
}

export interface ContractInterface {
  /** As ethers writes them: `function version() view returns (string)` */
  readonly abi: readonly string[]
  readonly storage: readonly StorageVariable[]
  readonly transient: readonly StorageVariable[]
}

interface Layout {
  readonly storage: readonly {
    readonly label: string
    readonly slot: string
    readonly offset: number
    readonly type: string
  }[]
  readonly types: { readonly [id: string]: { readonly label: string } } | null
}

/** Of contracts/src, which has been compiled. */
export async function currentInterface(): Promise<ContractInterface> {
  const { abi, output } = await readCompiled('RaidenMicroTransferChannels')
  return {
    abi: new Interface(abi).format(),
    storage: variablesOf(output.storageLayout),
    transient: variablesOf(output.transientStorageLayout),
  }
}

function variablesOf({ storage, types }: Layout): readonly StorageVariable[] {
  return storage.map(({ label, slot, offset, type }) => ({
    name: label,
    type: types?.[type]?.label ?? type,
    slot: Number(slot),
    offset,
  }))
}

const kinds = ['constructor', 'function', 'event', 'error'] as const

/** Text of docs/reference/contract-versions.md. */
export function contractVersions(former: ContractInterface, now: ContractInterface): string {
  const kept = kinds.map((kind) => sameOf(kind, former, now)).filter((text) => text !== '')
  return `# Contract 0.4 beside 0.3

Written by \`npm run contracts\`. What functions, events and errors mean is in
[contract.md](contract.md), what each call costs in each version in [gas.md](gas.md).

## Functions, events and errors

The same in both, to the name of each parameter: ${kept.join(', ')}.
Other types of parameters make another function: one is removed, one added. In the same
forms 0.4 also takes ticks as balance proofs, and opens no channel whose challenge period
would end beyond 32 bits.

| | 0.3 | 0.4 |
|---|---|---|
${kinds.flatMap((kind) => interfaceRows(kind, former, now)).join('')}
## Storage

A channel is one word with the same bits in both
([ChannelRecord.sol](../../contracts/src/ChannelRecord.sol)). Version 0.3 has it in the mapping
\`_records\`, at keccak256(key ‖ 3); 0.4 at the channel's key itself, which is in no slot of
this table.

| variable | 0.3 | 0.4 |
|---|---|---|
${storageRows('', former.storage, now.storage)}${storageRows('transient ', former.transient, now.transient)}`
}

type Kind = (typeof kinds)[number]

/** By what callers and selectors see: the name and the types of parameters. */
function fragments({ abi }: ContractInterface, kind: Kind): ReadonlyMap<string, string> {
  const found = new Interface(abi).fragments.filter(({ type }) => type === kind)
  const key = (each: Fragment) => (kind === 'constructor' ? kind : each.format('sighash'))
  return new Map(found.map((each) => [key(each), each.format('full')]))
}

function sameOf(kind: Kind, former: ContractInterface, now: ContractInterface): string {
  const [before, after] = [fragments(former, kind), fragments(now, kind)]
  const count = [...after].filter(([key, full]) => before.get(key) === full).length
  if (kind === 'constructor') return count === 1 ? 'the constructor' : ''
  return `${count} ${kind}s`
}

function interfaceRows(
  kind: Kind,
  former: ContractInterface,
  now: ContractInterface,
): readonly string[] {
  const [before, after] = [fragments(former, kind), fragments(now, kind)]
  const keys = [...new Set([...before.keys(), ...after.keys()])].toSorted()
  return keys
    .filter((key) => before.get(key) !== after.get(key))
    .map((key) => row(change(before.get(key), after.get(key)), before.get(key), after.get(key)))
}

function change(before: string | undefined, after: string | undefined): string {
  if (before === undefined) return 'added'
  return after === undefined ? 'removed' : 'changed'
}

function storageRows(
  kind: string,
  former: readonly StorageVariable[],
  now: readonly StorageVariable[],
): string {
  const place = (list: readonly StorageVariable[], name: string) => {
    const found = list.find((each) => each.name === name)
    return found && `${kind}slot ${found.slot}, byte ${found.offset}: ${found.type}`
  }
  const names = new Set([...former, ...now].map(({ name }) => name))
  return [...names]
    .map((name) => row(`\`${name}\``, place(former, name), place(now, name)))
    .join('')
}

function row(what: string, before: string | undefined, after: string | undefined): string {
  return `| ${what} | ${code(before)} | ${code(after)} |\n`
}

function code(text: string | undefined): string {
  return text === undefined ? '–' : `\`${text}\``
}
