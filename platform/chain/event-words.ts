// The parameters of an event of numbers and addresses, each a word of 32 bytes. ethers reads events of all kinds, and
// takes 0.2 ms for a log, most of it to hash the names of all events: a busy receiver reads thousands of them at once,
// and does nothing else meanwhile.
import type { Interface } from 'ethers'
import { type Address, parseAddress } from '../../protocol/index.ts'
import type { RawLog } from './types.ts'

interface EventForm {
  readonly name: string
  /** In their order: in how many bits it fits, and whether it is a topic. */
  readonly parameters: readonly { readonly bits: number; readonly isTopic: boolean }[]
}

export interface ParsedEvent {
  readonly name: string
  readonly args: readonly bigint[]
}

const known = new WeakMap<Interface, ReadonlyMap<string, EventForm>>()

/** Undefined when it is an event of no contract of this kind. @throws RangeError when it is not as its event is */
export function parseEvent(
  contract: Interface,
  { topics, data }: Pick<RawLog, 'topics' | 'data'>,
): ParsedEvent | undefined {
  const form = formsOf(contract).get(topics[0]?.toLowerCase() ?? '')
  if (form === undefined) return undefined
  const words = data.slice(2).match(/.{64}/g) ?? []
  const [ofTopics, ofData] = [
    topics
      .slice(1)
      .map((topic) => topic.slice(2))
      .values(),
    words.values(),
  ]
  const args = form.parameters.map(({ bits, isTopic }) => {
    const hex = (isTopic ? ofTopics : ofData).next().value ?? ''
    const word = BigInt(`0x0${hex}`)
    if (hex.length !== wordLength || word >> BigInt(bits) !== 0n) throw wrongForm(form)
    return word
  })
  if (ofTopics.next().done !== true) throw wrongForm(form)
  return { name: form.name, args }
}

function wrongForm({ name }: EventForm): RangeError {
  return new RangeError(`a log of ${name} that has another form`)
}

export function addressOfWord(word: bigint): Address {
  return parseAddress(`0x${word.toString(16).padStart(40, '0')}`)
}

/** Hex digits. */
const wordLength = 64

function formsOf(contract: Interface): ReadonlyMap<string, EventForm> {
  const before = known.get(contract)
  if (before !== undefined) return before
  const forms = new Map<string, EventForm>()
  contract.forEachEvent(({ name, topicHash, inputs }) => {
    const parameters = inputs.map(({ type, indexed }) => ({
      bits: bitsOf(type),
      isTopic: indexed === true,
    }))
    if (parameters.every(({ bits }) => bits > 0)) forms.set(topicHash, { name, parameters })
  })
  known.set(contract, forms)
  return forms
}

/** 0 of what is neither a number nor an address. */
function bitsOf(type: string): number {
  if (type === 'address') return 160
  return Number(/^uint(\d+)$/.exec(type)?.[1] ?? 0)
}
