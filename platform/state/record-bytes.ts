// Bytes of records, written and read in one order. Amounts are as short as they are: the disk sees each byte several
// times.

/** Grows as it needs to. */
export interface RecordWriter {
  /** From 0 to 255. */
  readonly byte: (value: number) => void
  /** A whole number from 0 on: seven bits a byte, the lowest first, and a bit that says that more follow. */
  readonly count: (value: number) => void
  /** From 0 on: a byte with their number, then its bytes, the highest first. */
  readonly amount: (value: bigint) => void
  /** An even number of hex digits, without `0x`. */
  readonly hex: (digits: string) => void
  readonly bytes: () => Uint8Array
}

/** What is not there, or too much of it, is damage: it throws a RangeError. */
export interface RecordReader {
  readonly byte: () => number
  readonly count: () => number
  readonly amount: () => bigint
  readonly hex: (bytes: number) => string
  /** Nothing follows. */
  readonly end: () => void
}

export function recordWriter(): RecordWriter {
  let buffer = Buffer.allocUnsafe(256)
  let at = 0
  const room = (bytes: number) => {
    if (at + bytes > buffer.length) {
      buffer = Buffer.concat([buffer.subarray(0, at)], 2 * (at + bytes))
    }
  }
  const byte = (value: number) => {
    room(1)
    buffer[at++] = value
  }
  const hex = (digits: string) => {
    room(digits.length / 2)
    at += buffer.write(digits, at, 'hex')
  }
  return {
    byte,
    count: (value) => {
      let rest = value
      for (; rest >= 128; rest = Math.floor(rest / 128)) byte((rest % 128) + 128)
      byte(rest)
    },
    amount: (value) => {
      const digits = value === 0n ? '' : value.toString(16)
      const even = digits.length % 2 === 0 ? digits : `0${digits}`
      byte(even.length / 2)
      hex(even)
    },
    hex,
    bytes: () => buffer.subarray(0, at),
  }
}

export function recordReader(record: Uint8Array): RecordReader {
  const buffer = Buffer.from(record.buffer, record.byteOffset, record.byteLength)
  let at = 0
  const take = (bytes: number) => {
    if (at + bytes > buffer.length) throw new RangeError('a record ends too early')
    at += bytes
    return at - bytes
  }
  const byte = () => buffer.readUInt8(take(1))
  const hex = (bytes: number) => {
    const from = take(bytes)
    return buffer.toString('hex', from, at)
  }
  return {
    byte,
    count: () => {
      let value = 0
      for (let weight = 1; ; weight *= 128) {
        const next = byte()
        value += (next % 128) * weight
        if (!Number.isSafeInteger(value)) throw new RangeError('a number in a record is too large')
        if (next < 128) return value
      }
    },
    amount: () => {
      const length = byte()
      return length === 0 ? 0n : BigInt(`0x${hex(length)}`)
    },
    hex,
    end: () => {
      if (at < buffer.length) throw new RangeError('a record goes on behind its end')
    },
  }
}
