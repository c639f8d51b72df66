// Clients that pay while others attack: some that stay connected, and one that comes anew each time.
import secp256k1 from 'secp256k1/bindings.js'
import { Client } from 'undici'
import { balanceProofDigest, type SignatureDomain, toHex } from '../../../protocol/index.ts'
import { chooseRecovery } from '../../../receiver/signatures/recovery.ts'
import { type Fleet, sender, senderKey } from '../receiver/channels.ts'

export interface Latencies {
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  readonly failed: number
}

export interface Payers {
  readonly connected: () => Latencies
  readonly newcomers: () => Latencies
  readonly stop: () => Promise<void>
}

interface Seen {
  begun: number
  failed: number
  readonly took: number[]
}

export async function startPayers(url: string, fleet: Fleet): Promise<Payers> {
  const pay = await createPay(fleet)
  let stopped = false
  const loop = async (openBlock: number, seen: Seen, anew: boolean): Promise<void> => {
    let balance = 0n
    let client = new Client(url)
    while (!stopped) {
      const begun = performance.now()
      balance += fleet.price
      const isPaid = await request(client, pay(openBlock, balance))
      if (isPaid) seen.took.push(performance.now() - begun)
      else seen.failed++
      if (!isPaid || anew) {
        await client.destroy()
        client = new Client(url)
        // What became of it is not known: the receiver takes the next one with a gap.
        await new Promise((resolve) => setTimeout(resolve, 100))
      }
    }
    await client.close()
  }
  const [connected, newcomers] = [seenNothing(), seenNothing()]
  const loops = Array.from({ length: fleet.channels }, (_, index) =>
    index === 0 ? loop(index, newcomers, true) : loop(index, connected, false),
  )
  return {
    connected: () => summary(connected),
    newcomers: () => summary(newcomers),
    stop: async () => {
      stopped = true
      await Promise.all(loops)
    },
  }
}

async function createPay({ domain, receiver, price }: Fleet) {
  const { keccak } = (await chooseRecovery()).recovery
  const digest = balanceProofDigest('eip712', domain as SignatureDomain, receiver, keccak)
  return (openBlock: number, balance: bigint) => {
    const { signature, recid } = secp256k1.ecdsaSign(digest(openBlock, balance), senderKey)
    return {
      'RDN-Sender-Address': sender,
      'RDN-Open-Block': `${openBlock}`,
      'RDN-Balance': `${balance}`,
      'RDN-Payment': `${price}`,
      'RDN-Balance-Signature': `${toHex(signature)}${recid === 0 ? '1b' : '1c'}`,
    }
  }
}

async function request(client: Client, headers: Record<string, string>): Promise<boolean> {
  try {
    const { statusCode, body } = await client.request({ method: 'GET', path: '/paid', headers })
    await body.dump()
    return statusCode === 200
  } catch {
    return false
  }
}

function seenNothing(): Seen {
  return { begun: performance.now(), failed: 0, took: [] }
}

/** Since the last time. */
function summary(seen: Seen): Latencies {
  const took = seen.took.splice(0).sort((a, b) => a - b)
  const at = (share: number) => took[Math.floor(took.length * share)] ?? Number.NaN
  const { failed, begun } = seen
  seen.failed = 0
  seen.begun = performance.now()
  const perSecond = (took.length * 1000) / (seen.begun - begun)
  return { perSecond, p50: at(0.5), p99: at(0.99), failed }
}
