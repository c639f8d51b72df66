// Each implementation of signature recovery, on the main thread and on workers, says the same.
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import type { Worker } from 'node:worker_threads'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import {
  addressOfKey,
  balanceProofDigest,
  fromHex,
  type Hex,
  parseAddress,
  type Signature,
  type SignatureForm,
  signDigest,
} from '../../../protocol/index.ts'
import {
  createProofChecker,
  createSenderCheck,
  type ProofContext,
} from '../../../receiver/signatures/checker.ts'
import { startVerifier } from '../../../receiver/signatures/index.ts'
import { enoughForThreads, packJobs, unpackJobs } from '../../../receiver/signatures/pool.ts'
import { chooseRecovery, type RecoveryName } from '../../../receiver/signatures/recovery.ts'

const key = fromHex(`0x${'11'.repeat(32)}`)
const sender = addressOfKey(key)
const receiver = addressOfKey(fromHex(`0x${'22'.repeat(32)}`))
const contract = addressOfKey(fromHex(`0x${'33'.repeat(32)}`))
const context: ProofContext = {
  domain: { contract, chainId: 31337n },
  receiver,
  forms: ['eip712', 'seed'],
}

const sign = (form: SignatureForm, balance: bigint, chainId = 31337n): Signature =>
  signDigest(balanceProofDigest(form, { contract, chainId }, receiver)(7, balance), key)

/** The platform has all three where the tests run; a Pi has no `native`. */
const names: readonly RecoveryName[] = ['native', 'wasm', 'js']

for (const name of names) {
  test(`${name}: both forms are accepted, and nothing else`, async (t) => {
    const { recovery } = await chooseRecovery([name])
    const checker = createProofChecker(context, recovery)
    const payment = { sender, openBlock: 7, balance: 5n }
    const formOf = (signature: Signature, changed = {}) =>
      checker.formOf({ ...payment, signature, ...changed })
    t.is(await formOf(sign('eip712', 5n)), 'eip712')
    t.is(await formOf(sign('seed', 5n)), 'seed')
    t.is(await formOf(sign('eip712', 5n), { balance: 6n }), undefined)
    t.is(await formOf(sign('seed', 5n), { openBlock: 8 }), undefined)
    t.is(await formOf(sign('seed', 5n), { sender: receiver }), undefined)
    t.is(await formOf(sign('eip712', 5n, 1n)), undefined)
    const other = sign('eip712', 5n).replace(/1[bc]$/, (v) => (v === '1b' ? '1c' : '1b'))
    t.is(await formOf(other as Signature), undefined)
    t.is(await formOf(`0x${'ff'.repeat(64)}1b` as Signature), undefined)
    t.is(await formOf(`0x${'00'.repeat(64)}1b` as Signature), undefined)
  })

  test(`${name}: the original's signatures are recovered`, async (t) => {
    const { recovery } = await chooseRecovery([name])
    const file = new URL('../../protocol/balance-proofs.json', import.meta.url)
    const cases: readonly { readonly [field: string]: string }[] = JSON.parse(
      await readFile(file, 'utf8'),
    )
    for (const each of cases.slice(0, name === 'js' ? 5 : 1000)) {
      const checker = createProofChecker(
        {
          domain: { contract: parseAddress(each.contract ?? ''), chainId: 1n },
          receiver: parseAddress(each.receiver ?? ''),
          forms: ['seed'],
        },
        recovery,
      )
      const form = await checker.formOf({
        sender: parseAddress(each.sender ?? ''),
        openBlock: Number(each.open_block_number),
        balance: BigInt(each.balance ?? ''),
        signature: each.balance_proof_signature as Signature,
      })
      t.is(form, 'seed')
    }
  })
}

test('a known sender is verified and not recovered, with a bounded memory, and a wrong v is still seen', async (t) => {
  const { recovery } = await chooseRecovery(['wasm'])
  const { verifyKey } = recovery
  if (verifyKey === undefined) return t.fail()
  const calls: string[] = []
  const watched: typeof recovery = {
    ...recovery,
    recoverKey: (...given) => {
      calls.push('recover')
      return recovery.recoverKey(...given)
    },
    verifyKey: (...given) => {
      calls.push('verify')
      return verifyKey(...given)
    },
  }
  const check = createSenderCheck(watched, 2)
  const digest = new Uint8Array(32).fill(9)
  const said = (seed: number, change = 0): readonly [boolean, ...string[]] => {
    const secret = new Uint8Array(32).fill(seed)
    const signature = fromHex(signDigest(digest, secret))
    signature[64] = (signature[64] ?? 0) ^ change
    calls.length = 0
    return [check(fromHex(addressOfKey(secret)), { digest, signature }), ...calls]
  }
  // 27 and 28 differ in three bits.
  const otherV = 27 ^ 28
  t.deepEqual(said(1, otherV), [false, 'recover'])
  t.deepEqual(said(1), [true, 'recover'])
  t.deepEqual(said(1), [true, 'verify'])
  t.deepEqual(said(1, otherV), [false, 'verify'])
  t.deepEqual(said(2), [true, 'recover'])
  t.deepEqual(said(3), [true, 'recover'])
  t.deepEqual(said(2), [true, 'verify'])
  t.deepEqual(said(1), [true, 'recover'])
})

test('a library that does not see a wrong v in verifying recovers every time', async (t) => {
  for (const name of ['native', 'js'] as const) {
    const { recovery } = await chooseRecovery([name])
    t.is(recovery.verifyKey, undefined)
  }
})

test('workers say of each payment of a batch what it is', async (t) => {
  const verifier = await startVerifier(context, { verifierThreads: 2 })
  t.teardown(verifier.close)
  const payments = Array.from({ length: 150 }, (_, i) => {
    const balance = BigInt(i + 1)
    const expected: SignatureForm | undefined =
      i % 3 === 0 ? 'eip712' : i % 3 === 1 ? 'seed' : undefined
    const signature = sign(expected ?? 'seed', expected === undefined ? balance + 1n : balance)
    return { payment: { sender, openBlock: 7, balance, signature }, expected }
  })
  const forms = await Promise.all(payments.map(({ payment }) => verifier.formOf(payment)))
  t.deepEqual(
    forms,
    payments.map(({ expected }) => expected),
  )
})

test.serial('threads start with the fourth payment that comes at once', async (t) => {
  const { verifier, started } = await givenThreads(t, 2)
  const payment = { sender, openBlock: 7, balance: 5n, signature: sign('eip712', 5n) }
  const pay = (times: number) =>
    Promise.all(Array.from({ length: times }, () => verifier.formOf(payment)))
  for (let turn = 0; turn < 5; turn++) {
    t.deepEqual(await pay(enoughForThreads - 1), Array(enoughForThreads - 1).fill('eip712'))
  }
  t.is(started.length, 0)
  t.deepEqual(await pay(enoughForThreads), Array(enoughForThreads).fill('eip712'))
  t.is(started.length, 2)
  await Promise.all(started.map(ready))
  t.deepEqual(await pay(100), Array(100).fill('eip712'))
  t.is(started.length, 2)
})

test.serial('what a thread leaves behind is checked by the main thread', async (t) => {
  // Torn down in the native library, it would take this process with it.
  const { verifier, started } = await givenThreads(t, 1, 'js')
  const payment = { sender, openBlock: 7, balance: 5n, signature: sign('eip712', 5n) }
  const first = Array.from({ length: enoughForThreads }, () => verifier.formOf(payment))
  await Promise.all(first)
  await Promise.all(started.map(ready))
  const before = verifier.formOf(payment)
  await new Promise(setImmediate)
  await started[0]?.terminate()
  t.is(await before, 'eip712')
  t.is(await verifier.formOf(payment), 'eip712')
})

// A thread that is torn down in the middle of the native library's code ends the whole process.
for (const when of ['while its threads start', 'in the middle of checking'] as const) {
  test.serial(
    `whoever stops ${when} has all of it checked, by threads that end by themselves`,
    async (t) => {
      const { verifier, started } = await givenThreads(t, 2)
      const codes: number[] = []
      const payment = { sender, openBlock: 7, balance: 5n, signature: sign('eip712', 5n) }
      const pay = (times: number) => Array.from({ length: times }, () => verifier.formOf(payment))
      const before = pay(enoughForThreads)
      await new Promise(setImmediate)
      for (const worker of started) worker.once('exit', (code) => codes.push(code))
      if (when === 'in the middle of checking') await Promise.all(started.map(ready))
      const forms = Promise.all([...before, ...pay(1000)])
      await new Promise(setImmediate)
      await verifier.close()
      t.deepEqual([...new Set(await forms)], ['eip712'])
      t.deepEqual(codes, [0, 0])
    },
  )
}

/** `started`: the threads, as they start. */
async function givenThreads(
  t: ExecutionContext,
  verifierThreads: number,
  verifier: RecoveryName = 'native',
) {
  const started: Worker[] = []
  const watch = (worker: Worker) => started.push(worker)
  process.on('worker', watch)
  t.teardown(() => process.off('worker', watch))
  const { formOf, close } = await startVerifier(context, { verifier, verifierThreads })
  t.teardown(close)
  return { verifier: { formOf, close }, started }
}

/** Resolves when a thread has loaded. */
async function ready(worker: Worker): Promise<void> {
  await once(worker, 'message')
}

test('a verifier that is asked for by name and does not work stops the start', async (t) => {
  await t.throwsAsync(chooseRecovery(['none' as RecoveryName]), { code: 'no_verifier' })
})

test('of those that do not work the reason is told, and the next is taken', async (t) => {
  const { recovery, passedOver } = await chooseRecovery(['none' as RecoveryName, 'wasm'])
  t.is(recovery.name, 'wasm')
  t.is(passedOver[0]?.name, 'none' as RecoveryName)
})

test('a batch is read as it was written', (t) => {
  const uint = (bytes: number) => fc.bigInt({ min: 0n, max: 2n ** BigInt(8 * bytes) - 1n })
  const hex = (bytes: number): fc.Arbitrary<Hex> =>
    uint(bytes).map((value): Hex => `0x${value.toString(16).padStart(2 * bytes, '0')}`)
  const payment = fc.record({
    openBlock: fc.nat(2 ** 32 - 1).map(Number),
    balance: uint(24),
    signature: hex(65).map((text) => text as Signature),
    sender: hex(20).map(parseAddress),
  })
  fc.assert(
    fc.property(fc.array(payment, { maxLength: 5 }), (payments) => {
      const expected = payments.map((each) => ({
        ...each,
        signature: Buffer.from(fromHex(each.signature)),
        sender: Buffer.from(fromHex(each.sender)),
      }))
      const read = unpackJobs(packJobs(payments)).map((each) => ({
        ...each,
        signature: Buffer.from(each.signature),
        sender: Buffer.from(each.sender),
      }))
      t.deepEqual(read, expected)
    }),
  )
})
