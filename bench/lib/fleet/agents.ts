// Many agents with a channel each, and what they pay, signed before the clock runs.
import { Agent, get } from 'node:http'
import { setTimeout } from 'node:timers/promises'
import secp256k1 from 'secp256k1/bindings.js'
import {
  type Address,
  addressFromBytes,
  balanceProofDigest,
  toHex,
} from '../../../protocol/index.ts'
import { chooseRecovery } from '../../../receiver/signatures/recovery.ts'
import { type Fleet, paymentLine } from '../receiver/channels.ts'
import { openBlockOf } from './made-up-chain.ts'

export interface FleetAgent {
  readonly sender: Address
  readonly openBlock: number
  /** Headers of its payments, in their order. */
  readonly payments: readonly Headers[]
}

type Headers = Readonly<Record<string, string>>

export interface FleetTerms extends Omit<Fleet, 'from'> {
  /** How many times the agent of this number pays. */
  readonly payments: (agent: number) => number
}

/** By the library's own signer: noble would take minutes. */
export async function createAgents(terms: FleetTerms): Promise<readonly FleetAgent[]> {
  const { domain, receiver, price, channels } = terms
  const { keccak } = (await chooseRecovery()).recovery
  const digest = balanceProofDigest('eip712', domain, receiver, keccak)
  return Array.from({ length: channels }, (_, agent) => {
    const key = new Uint8Array(32).fill(0x5e)
    new DataView(key.buffer).setUint32(0, agent + 1)
    const publicKey = secp256k1.publicKeyCreate(key, false)
    const sender = addressFromBytes(keccak(publicKey.subarray(1)).subarray(12))
    const openBlock = openBlockOf(agent)
    const payments = Array.from({ length: terms.payments(agent) }, (_, before) => {
      const balance = price * BigInt(before + 1)
      const { signature, recid } = secp256k1.ecdsaSign(digest(openBlock, balance), key)
      const signed = `${toHex(signature)}${recid === 0 ? '1b' : '1c'}`
      return headersOf(paymentLine(terms, { sender, openBlock, balance, signature: signed }))
    })
    return { sender, openBlock, payments }
  })
}

function headersOf(line: string): Headers {
  return Object.fromEntries(line.split('|').map((header) => header.split(': ')))
}

/** One after the other on each connection; again where it is answered with 503. @throws Error when one is not served */
export async function pay(
  url: string,
  payments: readonly Headers[],
  connections: number,
): Promise<void> {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const left = payments.values()
  const payAll = async () => {
    for (const headers of left) await payOnce(url, { agent, headers })
  }
  try {
    await Promise.all(Array.from({ length: connections }, payAll))
  } finally {
    agent.destroy()
  }
}

interface Payment {
  readonly agent: Agent
  readonly headers: Headers
}

/** Milliseconds until a receiver that could not say is asked again. */
const pause = 250
const mostTries = 40

async function payOnce(url: string, payment: Payment): Promise<void> {
  for (let tries = 1; ; tries++) {
    const status = await statusOf(url, payment)
    if (status === 200) return
    if (status !== 503 || tries === mostTries) {
      throw new Error(`a payment was answered with ${status}`)
    }
    await setTimeout(pause)
  }
}

function statusOf(url: string, options: Payment): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    get(url, { ...options, headers: { ...options.headers } }, (response) => {
      response.resume()
      response.on('end', () => resolve(response.statusCode))
      response.on('error', reject)
    }).on('error', reject)
  })
}
