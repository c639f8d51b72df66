// What one signature costs the receiver, by verifier: `./scripts/bench signatures [--json]`. The least of many
// rounds, one thread. Another processor's Node under qemu-user runs it as well.
import { Command } from 'commander'
import {
  addressOfKey,
  addressToBytes,
  balanceProofDigest,
  fromHex,
  signDigest,
  toHex,
} from '../protocol/index.ts'
import { createSenderCheck } from '../receiver/signatures/checker.ts'
import {
  chooseRecovery,
  isSignedBy,
  type RecoveryName,
  recoveryNames,
  type SignedDigest,
} from '../receiver/signatures/recovery.ts'

const { json } = new Command('./scripts/bench signatures')
  .option('--json', 'print JSON')
  .parse()
  .opts<{ json?: true }>()

interface Case {
  readonly sender: Uint8Array
  readonly signed: SignedDigest
}

const domain = { contract: addressOfKey(fromHex(`0x${'33'.repeat(32)}`)), chainId: 31337n }
const digestOf = balanceProofDigest('eip712', domain, domain.contract)

const cases: readonly Case[] = Array.from({ length: 16 }, (_, index) => {
  const key = new Uint8Array(32).fill(index + 1)
  const digest = digestOf(index, BigInt(index * index))
  const signature = fromHex(signDigest(digest, key))
  return { sender: addressToBytes(addressOfKey(key)), signed: { digest, signature } }
})

function microseconds(check: (one: Case) => boolean, rounds: number): number {
  let least = Number.POSITIVE_INFINITY
  for (let round = 0; round < rounds; round++) {
    const start = process.hrtime.bigint()
    for (const one of cases) if (!check(one)) throw new Error(toHex(one.signed.digest))
    least = Math.min(least, Number(process.hrtime.bigint() - start) / cases.length / 1000)
  }
  return Math.round(least * 10) / 10
}

async function measure(name: RecoveryName) {
  const { recovery } = await chooseRecovery([name])
  const knownSenders = createSenderCheck(recovery)
  const rounds = name === 'js' ? 10 : 100
  return {
    verifier: name,
    newSender: microseconds(({ sender, signed }) => isSignedBy(recovery, sender, signed), rounds),
    knownSender: microseconds(({ sender, signed }) => knownSenders(sender, signed), rounds),
  }
}

const rows: object[] = []
for (const name of recoveryNames) {
  rows.push(await measure(name).catch((error: Error) => ({ verifier: name, why: error.message })))
}
const result = { arch: process.arch, node: process.version, rows }
process.stdout.write(
  json
    ? `${JSON.stringify(result)}\n`
    : `${result.arch}, Node ${result.node}, µs a signature\n${rows.map((row) => `${JSON.stringify(row)}\n`).join('')}`,
)
