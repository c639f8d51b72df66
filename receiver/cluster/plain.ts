// What processes tell each other through the database: plain data with amounts, as JSON has it.
import type { Plain } from '../channels/state.ts'

const amount = 'amount'

/** What is undefined is left out. */
export function toPlain(value: unknown): Plain {
  const text = JSON.stringify(value, (_, each) =>
    typeof each === 'bigint' ? { [amount]: `${each}` } : each,
  )
  return text === undefined ? null : JSON.parse(text)
}

/** As `toPlain` has got it, by whoever knows what that was. */
export function fromPlain<Value>(plain: Plain): Value {
  return JSON.parse(JSON.stringify(plain), (_, each) => {
    if (typeof each !== 'object' || each === null) return each
    const [name, ...others] = Object.keys(each)
    return name === amount && others.length === 0 && typeof each[name] === 'string'
      ? BigInt(each[name])
      : each
  })
}
