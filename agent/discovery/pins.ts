// Receivers that are configured by their announced name alone: who was found under it first is the one
// that is paid from then on, as ssh does with hosts. Kept in a small file beside the ledger, because
// commands look for receivers without opening that.

import { readFileSync } from 'node:fs'
import { mkdir, open, rename } from 'node:fs/promises'
import { join } from 'node:path'
import { mapped, object, optional, recordOf, text, urlText } from '../../platform/shapes/shape.ts'
import { type Address, parseAddress } from '../../protocol/index.ts'
import { agentError } from '../errors/index.ts'

export interface Pin {
  readonly receiver: Address
  /** Where it was found last: `http://192.168.1.104:5000`; undefined when another one was found there since. */
  readonly origin?: string | undefined
  /** ISO 8601: when it was found first, or accepted. */
  readonly since: string
}

export interface Pins {
  /** By announced name. @throws UraidenError `state_unreadable` */
  readonly all: () => ReadonlyMap<string, Pin>
  /** Resolves when it is on disk. @throws UraidenError `state_unwritable` */
  readonly put: (name: string, pin: Pin) => Promise<void>
}

const dateTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z$/

const pinsShape = recordOf(
  object({
    receiver: mapped(text(), parseAddress),
    origin: optional(urlText()),
    since: text(dateTime),
  }),
)

/** RFC 6762 section 16: names are compared without regard to case. */
const keyOf = (name: string): string => name.toLowerCase()

export function createPins(folder: string): Pins {
  const file = join(folder, 'receivers.json')

  function all(): ReadonlyMap<string, Pin> {
    try {
      return new Map(Object.entries(pinsShape(JSON.parse(readFileSync(file, 'utf8')))))
    } catch (cause) {
      if ((cause as { readonly code?: unknown }).code === 'ENOENT') return new Map()
      throw agentError({
        code: 'state_unreadable',
        message: `${file}, which says who was found under which name, cannot be read.`,
        cause,
      })
    }
  }

  return {
    all: () => all(),
    put: async (name, pin) => {
      const pinned = `${JSON.stringify(Object.fromEntries(withPin(all(), keyOf(name), pin)))}\n`
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 })
        await replace(file, pinned)
      } catch (cause) {
        throw agentError({
          code: 'state_unwritable',
          message: `${file} cannot be written.`,
          hint: 'Nothing was paid. Look at the disk, and at who owns the state folder.',
          cause,
        })
      }
    },
  }
}

/** Addresses are given to others: at one place is who was found there last. */
function withPin(
  before: ReadonlyMap<string, Pin>,
  key: string,
  pin: Pin,
): ReadonlyMap<string, Pin> {
  const moved = [...before].map(([name, each]): readonly [string, Pin] => {
    const { origin, ...rest } = each
    return [name, origin === pin.origin ? rest : each]
  })
  return new Map(moved).set(key, pin)
}

/** Undefined for a name that nobody was found under. */
export function pinOf(pins: Pins, name: string): Pin | undefined {
  return pins.all().get(keyOf(name))
}

/** The old text or the new one, whenever the power fails: rename(2). */
async function replace(file: string, text: string): Promise<void> {
  const written = `${file}.${process.pid}`
  const handle = await open(written, 'w', 0o600)
  try {
    await handle.writeFile(text)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(written, file)
}
