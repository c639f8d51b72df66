// Ticks (ticks.md): what a tick proves, to the unit, wherever a balance proof is taken; and that nothing else is one.
import { readFileSync } from 'node:fs'
import { Point } from '@noble/secp256k1'
import test, { type ExecutionContext } from 'ava'
import {
  AbiCoder,
  type BytesLike,
  computeAddress,
  concat,
  getAddress,
  id,
  keccak256,
  randomBytes,
  recoverAddress,
  zeroPadValue,
} from 'ethers'
import { compactSignature } from '../../protocol/index.ts'
import {
  type ContractFixture,
  contractFixture,
  mined,
  receiver,
  reverts,
  sender,
  stranger,
  undone,
} from '../support/contracts.ts'
import {
  byteLength,
  type Commitment,
  eip712Domain,
  hashChain,
  packTick,
  signCompact,
  type TickWords,
  tickProofDigest,
  tickProofTypes,
  unpackTick,
  word,
} from '../support/ticks.ts'

let f: ContractFixture
test.before(async () => {
  f = await contractFixture()
})
test.after.always(() => f.chain.close())

function behaviour(name: string, run: (t: ExecutionContext) => Promise<void>): void {
  test.serial(
    name,
    undone(() => f, run),
  )
}

interface Given {
  readonly openBlock: number
  readonly base?: bigint
  readonly step?: bigint
  readonly ticks?: number
  readonly last?: string
  readonly from?: number
  readonly to?: number
}

/** A chain and its signature; `tick(i)` is the balance that tick i proves, and its five words. */
function commit(given: Given) {
  const { openBlock, base = 1000n, step = 10n, ticks = 16, from = sender, to = receiver } = given
  const chain = hashChain(given.last ?? keccak256(randomBytes(32)), ticks)
  const root = chain[0] ?? ''
  const commitment = {
    ...{ domain: f.domain, receiver: f.account(to), openBlock },
    ...{ base, step, ticks, root },
  }
  const [r, vs] = signCompact(tickProofDigest(commitment), f.chain.wallet(from).privateKey)
  const words = (i: number): TickWords => ({ w: chain[i] ?? '', ticks, tick: i, step, r, vs })
  const tick = (i: number) => ({ balance: base + BigInt(i) * step, proof: packTick(words(i)) })
  return { commitment, chain, words, tick }
}

const shown = [0, 1, 2, 7, 8, 9, 15, 16]

for (const i of shown) {
  behaviour(`tick ${i} of 16 is withdrawn, to the unit`, async (t) => {
    const openBlock = await f.open(5000n)
    const { balance, proof } = commit({ openBlock }).tick(i)
    const before = await f.balance(receiver)
    await mined(f.as(receiver, 'withdraw')(openBlock, balance, proof))
    t.is(await f.balance(receiver), before + balance)
    await reverts(t, f.as(receiver, 'withdraw')(openBlock, balance, proof), 'BalanceNotHigher')
  })

  behaviour(
    `tick ${i} of 16 closes the channel, by the receiver and with both signatures`,
    async (t) => {
      for (const by of [receiver, stranger]) {
        const openBlock = await f.open(5000n)
        await f.chain.mine(1)
        const { balance, proof } = commit({ openBlock }).tick(i)
        const agreement = by === receiver ? '0x' : f.agreement(openBlock, balance)
        const before = [await f.balance(sender), await f.balance(receiver)] as const
        await mined(
          f.as(by, 'cooperativeClose')(f.account(receiver), openBlock, balance, proof, agreement),
        )
        t.is(await f.balance(receiver), before[1] + balance)
        t.is(await f.balance(sender), before[0] + 5000n - balance)
      }
    },
  )

  behaviour(`tick ${i} of 16 answers a close request`, async (t) => {
    const openBlock = await f.open(5000n)
    await f.chain.mine(1)
    await mined(f.as(sender, 'uncooperativeClose')(f.account(receiver), openBlock, 999n))
    const { balance, proof } = commit({ openBlock }).tick(i)
    const challenge = f.as(stranger, 'challenge')
    await mined(challenge(f.account(receiver), openBlock, balance, proof))
    t.is((await f.info(openBlock))[3], balance)
    await reverts(t, challenge(f.account(receiver), openBlock, balance, proof), 'BalanceNotHigher')
  })
}

behaviour('the largest commitments: 256 ticks, 1024, and all that 16 bits can say', async (t) => {
  for (const ticks of [256, 1024, 65_535]) {
    const openBlock = await f.open(10n ** 6n)
    const commitment = commit({ openBlock, ticks, base: 7n, step: 3n })
    for (const i of [ticks - 1, ticks]) {
      const { balance, proof } = commitment.tick(i)
      t.is(await signerOf(openBlock, balance, proof), f.account(sender))
    }
    const { balance, proof } = commitment.tick(ticks)
    await mined(f.as(receiver, 'withdraw')(openBlock, balance, proof))
    t.is((await f.info(openBlock))[4], balance)
  }
})

behaviour(
  'two commitments in turn, plain proofs between them, older ones after newer',
  async (t) => {
    const openBlock = await f.open(5000n)
    const withdraw = f.as(receiver, 'withdraw')
    const first = commit({ openBlock, base: 0n, step: 10n, ticks: 4 })
    const second = commit({ openBlock, base: 50n, step: 7n, ticks: 4 })
    const before = await f.balance(receiver)
    await mined(withdraw(openBlock, 20n, first.tick(2).proof))
    await mined(withdraw(openBlock, 45n, f.proof(openBlock, 45n)))
    await reverts(t, withdraw(openBlock, 40n, first.tick(4).proof), 'BalanceNotHigher')
    await mined(withdraw(openBlock, 50n, second.tick(0).proof))
    await mined(withdraw(openBlock, 71n, second.tick(3).proof))
    await reverts(t, withdraw(openBlock, 64n, second.tick(2).proof), 'BalanceNotHigher')
    t.is(await f.balance(receiver), before + 71n)
    await reverts(
      t,
      f.as(receiver, 'cooperativeClose')(
        f.account(receiver),
        openBlock,
        64n,
        second.tick(2).proof,
        '0x',
      ),
      'BalanceUnderWithdrawn',
    )
  },
)

behaviour('a commitment may reach above the deposit, a tick that is shown may not', async (t) => {
  const openBlock = await f.open(1040n)
  await f.chain.mine(1)
  const { tick } = commit({ openBlock })
  const over = tick(5)
  await reverts(
    t,
    f.as(receiver, 'withdraw')(openBlock, over.balance, over.proof),
    'BalanceOverDeposit',
  )
  const close = f.as(receiver, 'cooperativeClose')
  await reverts(
    t,
    close(f.account(receiver), openBlock, over.balance, over.proof, '0x'),
    'BalanceOverDeposit',
  )
  await mined(close(f.account(receiver), openBlock, tick(4).balance, tick(4).proof, '0x'))
})

async function signerOf(openBlock: number, balance: bigint, proof: string): Promise<string> {
  return f.channels.getFunction('extractTypedBalanceProofSignature')(
    f.account(receiver),
    openBlock,
    balance,
    proof,
  )
}

/** Whether the contract makes an address of it that is the sender's. */
async function isSenders(openBlock: number, balance: bigint, proof: string): Promise<boolean> {
  try {
    return (await signerOf(openBlock, balance, proof)) === f.account(sender)
  } catch (error) {
    const { revert } = error as { readonly revert?: { readonly name: string } }
    if (revert?.name === 'InvalidSignature') return false
    throw error
  }
}

interface Lie {
  readonly balance: bigint
  readonly proof: string
}

/** Nobody's channel, wherever a balance proof is taken. */
async function provesNothing(t: ExecutionContext, openBlock: number, name: string, lie: Lie) {
  const { balance, proof } = lie
  t.false(await isSenders(openBlock, balance, proof), name)
  const party = f.account(receiver)
  for (const [what, sending] of [
    ['withdraw', () => f.as(receiver, 'withdraw')(openBlock, balance, proof)],
    ['close', () => f.as(receiver, 'cooperativeClose')(party, openBlock, balance, proof, '0x')],
    ['challenge', () => f.as(stranger, 'challenge')(party, openBlock, balance, proof)],
  ] as const) {
    await reverts(t, sending(), 'ChannelNotFound', `${name}: ${what}`)
  }
  if (byteLength(proof) !== 160) return
  for (const method of ['withdrawBatch', 'cooperativeCloseBatch'] as const) {
    const { events } = await batch(method, [{ openBlock, balance, proof }])
    t.deepEqual(
      events.map(({ name: event }) => event),
      ['BatchItemSkipped'],
      `${name}: ${method}`,
    )
  }
}

interface Item {
  readonly openBlock: number
  readonly balance: bigint
  /** Of 160 bytes: a tick, which goes behind the items. */
  readonly proof: string
  /** In place of where the tick lies. */
  readonly pointer?: bigint
}

async function batch(method: 'withdrawBatch' | 'cooperativeCloseBatch', items: readonly Item[]) {
  const { interface: abi } = f.channels
  const head = 4 + 64 + 128 * items.length
  let words = '0x'
  const encoded = items.map(({ openBlock, balance, proof, pointer }) => {
    if (byteLength(proof) !== 160) return [openBlock, balance, ...splitSignature(proof)]
    const at = pointer ?? BigInt(head + byteLength(words))
    words = concat([words, proof])
    return [openBlock, balance, word(0), word(at)]
  })
  const data = concat([abi.encodeFunctionData(method, [encoded]), words])
  const wallet = f.chain.wallet(receiver)
  const receipt = await (await wallet.sendTransaction({ to: f.address, data })).wait()
  const events = (receipt?.logs ?? []).flatMap((log) => abi.parseLog(log) ?? [])
  return { events: events.map(({ name, args }) => ({ name, args: [...args] })) }
}

function splitSignature(signature: string): readonly [string, string] {
  return [`0x${signature.slice(2, 66)}`, `0x${signature.slice(66)}`]
}

/** r, s and v for any key over a digest of zero: nobody needs its private half. */
function forgeOverZero(publicKey: string): readonly [r: string, vs: string] {
  const key = Point.fromHex(publicKey.slice(2))
  const { n } = Point.CURVE()
  for (let a = 2n; ; a++) {
    // With u1 = 0 and u2 = a the point is a times the key: r is its x, and s is r / a.
    const point = key.multiply(a).toAffine()
    const r = point.x % n
    let s = (r * inverse(a, n)) % n
    let odd = point.y & 1n
    if (s > n / 2n) [s, odd] = [n - s, odd ^ 1n]
    if (r !== 0n && s !== 0n && r === point.x) return [word(r), word((odd << 255n) | s)]
  }
}

function inverse(value: bigint, modulus: bigint): bigint {
  let [a, b, u, v] = [value % modulus, modulus, 1n, 0n]
  while (a > 1n) {
    const q = a / b
    ;[a, b] = [b, a % b]
    ;[u, v] = [v, u - q * v]
  }
  return ((u % modulus) + modulus) % modulus
}

behaviour(
  'a digest of zero, over which anybody can sign for any key, is never recovered from',
  async (t) => {
    const openBlock = await f.open(5000n)
    await f.chain.mine(1)
    const [r, vs] = forgeOverZero(f.chain.wallet(sender).signingKey.publicKey)
    // The forgery is a real one.
    const yParityAndS = vs
    t.is(recoverAddress(word(0), { r, yParityAndS, ...partsOf(vs) }), f.account(sender))
    const { chain } = commit({ openBlock })
    const forged = { w: chain[3] ?? '', ticks: 16, tick: 3, step: 10n, r, vs }
    for (const [name, words, balance] of [
      ['i over ticks', { ...forged, ticks: 2 }, 1030n],
      ['ticks of none', { ...forged, ticks: 0, tick: 1 }, 1010n],
      ['ticks over 16 bits', { ...forged, ticks: 65_536 + 16 }, 1030n],
      ['step over 192 bits', { ...forged, step: 1n << 192n }, 1030n],
      ['balance under i steps', { ...forged, step: 1000n }, 1030n],
      ['balance of none', forged, 0n],
    ] as const) {
      await provesNothing(t, openBlock, name, { balance, proof: packTick(words) })
    }
  },
)

function partsOf(vs: string) {
  const packed = BigInt(vs)
  return {
    s: word(packed & ((1n << 255n) - 1n)),
    v: (27 + Number(packed >> 255n)) as 27 | 28,
  }
}

/** A TickProof over words that its types would not let through. */
function signRaw(fields: readonly bigint[], root: string): readonly [string, string] {
  const { domain } = { domain: eip712Domain(f.domain) }
  const type = id(
    `TickProof(${tickProofTypes.TickProof.map(({ name, type }) => `${type} ${name}`).join(',')})`,
  )
  const struct = keccak256(concat([type, ...fields.map(word), root]))
  const separator = keccak256(
    AbiCoder.defaultAbiCoder().encode(
      ['bytes32', 'bytes32', 'bytes32', 'uint256', 'address'],
      [
        id('EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)'),
        id(domain.name),
        id(domain.version),
        domain.chainId,
        domain.verifyingContract,
      ],
    ),
  )
  const digest = keccak256(concat(['0x1901', separator, struct]))
  return signCompact(digest, f.chain.wallet(sender).privateKey)
}

behaviour(
  'words that a type does not hold prove nothing, also where they are signed so',
  async (t) => {
    const openBlock = await f.open(5000n)
    await f.chain.mine(1)
    const { chain, words } = commit({ openBlock })
    const root = chain[0] ?? ''
    const common = [BigInt(f.account(receiver)), BigInt(openBlock)]
    const good = words(2)
    // Signed as the struct says it proves: what the contract would compute without its bounds.
    const cases: readonly (readonly [string, TickWords, bigint, readonly bigint[]])[] = [
      ['17 bits of ticks', { ...good, ticks: 65_552 }, 1020n, [1000n, 10n, 65_552n]],
      [
        '193 bits of step',
        { ...good, tick: 0, step: 1n << 192n, w: root },
        1000n,
        [1000n, 1n << 192n, 16n],
      ],
      ['a base below zero, in 256 bits', good, 19n, [(1n << 256n) - 1n, 10n, 16n]],
      ['a base below zero, in 192 bits', good, 19n, [(1n << 192n) - 1n, 10n, 16n]],
      ['i over ticks', { ...good, ticks: 1 }, 1020n, [1000n, 10n, 1n]],
    ]
    for (const [name, wanted, balance, fields] of cases) {
      const [r, vs] = signRaw([...common, ...fields], root)
      await provesNothing(t, openBlock, name, { balance, proof: packTick({ ...wanted, r, vs }) })
    }
    // The same way to sign is good where the words fit.
    const [r, vs] = signRaw([...common, 1000n, 10n, 16n], root)
    t.true(await isSenders(openBlock, 1020n, packTick({ ...good, r, vs })))
  },
)

/** Changes one thing each. */
function lies(openBlock: number): readonly (Lie & { readonly name: string })[] {
  const { commitment, chain, words, tick } = commit({ openBlock })
  const other = commit({ openBlock })
  const longer = hashChain(keccak256('0x1234'), 20)
  const short = signed({ ...commitment, root: longer[0] ?? '' })
  const good = tick(3)
  const changed = (name: string, change: Partial<TickWords>, balance = good.balance) => ({
    ...{ name, balance },
    proof: packTick({ ...words(3), ...change }),
  })
  const n = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n
  const { vs } = words(3)
  const s = BigInt(vs) & ((1n << 255n) - 1n)
  return [
    ...[1n, -1n, 10n, -10n].map((by) => changed(`balance ${by} off`, {}, good.balance + by)),
    changed('w of the tick before', { w: chain[2] ?? '' }),
    changed('w of the next tick', { w: chain[4] ?? '' }),
    changed('w of another commitment', { w: other.chain[3] ?? '' }),
    changed('no w', { w: word(0) }),
    changed('another i', { tick: 4 }),
    changed('another i, with its balance', { tick: 4 }, 1040n),
    changed('another step', { step: 11n }),
    changed('another step, with its balance', { step: 11n }, 1033n),
    changed('a step of none', { step: 0n }, 1000n),
    changed('more ticks than signed', { ticks: 17 }),
    changed('less ticks than signed', { ticks: 15 }),
    changed('a bit above ticks', { ticks: 16n | (1n << 200n) }),
    changed('a bit above the step', { step: 10n | (1n << 255n) }),
    changed('no r', { r: word(0) }),
    changed('no s', { vs: word(0) }),
    changed('no r and no s', { r: word(0), vs: word(0) }),
    changed('the other v', { vs: word(BigInt(vs) ^ (1n << 255n)) }),
    changed('the other s, which is high', {
      vs: word((n - s) | (((BigInt(vs) >> 255n) ^ 1n) << 255n)),
    }),
    {
      name: 'one tick more than signed, of a chain that goes on',
      balance: 1170n,
      proof: packTick({ ...words(3), ...short, w: longer[17] ?? '', tick: 17 }),
    },
    ...foreign(openBlock, commitment, chain),
  ]
}

function signed(commitment: Commitment, by = sender): Pick<TickWords, 'r' | 'vs'> {
  const [r, vs] = signCompact(tickProofDigest(commitment), f.chain.wallet(by).privateKey)
  return { r, vs }
}

/** Commitments to something else. */
function foreign(openBlock: number, commitment: Commitment, chain: readonly string[]) {
  const { domain } = commitment
  const contract = getAddress(zeroPadValue('0x01', 20)) as typeof domain.contract
  const others: readonly (readonly [string, Partial<Commitment>])[] = [
    ['another open block', { openBlock: openBlock + 1 }],
    ['another receiver', { receiver: f.account(stranger) }],
    ['another chain', { domain: { ...domain, chainId: 1n } }],
    ['another contract', { domain: { ...domain, contract } }],
    ['another base', { base: 1001n }],
  ]
  const words = { w: chain[3] ?? '', ticks: 16, tick: 3, step: 10n }
  const draft = splitSignature(compactJoined(f.proof(openBlock, 1030n, 'seed')))
  const plain = splitSignature(compactJoined(f.proof(openBlock, 1030n)))
  return [
    ...others.map(([name, change]) => ({ name, ...signed({ ...commitment, ...change }) })),
    { name: 'another sender', ...signed(commitment, stranger) },
    { name: 'a plain proof’s signature', r: plain[0], vs: plain[1] },
    { name: 'a signature in the form of 0.2', r: draft[0], vs: draft[1] },
  ].map(({ name, r, vs }) => ({ name, balance: 1030n, proof: packTick({ ...words, r, vs }) }))
}

function compactJoined(signature: Parameters<typeof compactSignature>[0]): string {
  return concat(compactSignature(signature) as unknown as BytesLike[])
}

behaviour('a tick of which one thing is changed proves nothing', async (t) => {
  const openBlock = await f.open(5000n)
  await f.chain.mine(1)
  for (const { name, ...lie } of lies(openBlock)) await provesNothing(t, openBlock, name, lie)
  t.is((await f.info(openBlock))[4], 0n)
})

behaviour('other lengths than 160 bytes are no tick', async (t) => {
  const openBlock = await f.open(5000n)
  await f.chain.mine(1)
  const { balance, proof } = commit({ openBlock }).tick(3)
  const long = concat([proof, word(0)])
  for (const length of [0, 1, 63, 66, 123, 124, 128, 159, 161, 192]) {
    const bytes = long.slice(0, 2 + 2 * length)
    await provesNothing(t, openBlock, `${length} bytes`, { balance, proof: bytes })
  }
})

behaviour(
  'the signature of a commitment is no balance proof, and its tick is one nowhere else',
  async (t) => {
    // A channel the other way round, of the same block: what one party signs as sender is no agreement of it.
    const { provider } = f.chain
    await provider.send('evm_setAutomine', [false])
    const opening = [
      await f.tokenAs(sender, 'transfer(address,uint256,bytes)')(f.address, 5000n, f.openData(), {
        gasLimit: 300_000,
      }),
      await f.tokenAs(receiver, 'transfer(address,uint256,bytes)')(
        f.address,
        5000n,
        f.openData(receiver, sender),
        { gasLimit: 300_000 },
      ),
    ]
    await provider.send('evm_mine', [])
    await provider.send('evm_setAutomine', [true])
    const [openBlock] = await Promise.all(
      opening.map(async (sent) => Number((await sent.wait())?.blockNumber)),
    )
    if (openBlock === undefined) throw new Error('not mined')
    const { commitment, tick, words } = commit({ openBlock })
    const { balance, proof } = tick(3)
    const { r, vs } = words(3)
    await provesNothing(t, openBlock, 'as a plain proof', {
      balance: 1000n,
      proof: concat([r, vs]),
    })
    await provesNothing(t, openBlock, 'as a plain proof of its balance', {
      balance,
      proof: concat([r, vs]),
    })

    const back = commit({ openBlock, from: receiver, to: sender })
    const close = f.as(stranger, 'cooperativeClose')
    for (const agreement of [proof, back.tick(3).proof, concat([r, vs])]) {
      await reverts(
        t,
        close(f.account(receiver), openBlock, balance, proof, agreement),
        'InvalidClosingSignature',
      )
    }
    const extract = (method: string, party: number) =>
      f.channels.getFunction(method)(f.account(party), openBlock, balance, proof)
    for (const [method, party] of [
      ['extractBalanceProofSignature', receiver],
      ['extractClosingSignature', sender],
      ['extractTypedClosingSignature', sender],
    ] as const) {
      await reverts(t, extract(method, party), 'InvalidSignature', method)
    }
    const none = [0, word(0), word(0)]
    const forever = (1n << 256n) - 1n
    await reverts(
      t,
      f.as(stranger, 'createChannelFor')(
        f.account(sender),
        f.account(receiver),
        1n,
        forever,
        none,
        proof,
      ),
      'InvalidSenderSignature',
    )
    await reverts(
      t,
      f.as(stranger, 'topUpFor')(
        f.account(sender),
        f.account(receiver),
        openBlock,
        1n,
        forever,
        none,
        proof,
      ),
      'InvalidSenderSignature',
    )
    t.is(commitment.openBlock, openBlock)
  },
)

behaviour('a batch pays plain proofs and ticks, and leaves out what is neither', async (t) => {
  const own = async (from: number) => f.open(5000n, from)
  const blocks = [await own(sender), await own(stranger), await own(sender), await own(sender)]
  await f.chain.mine(1)
  const [a = 0, b = 0, c = 0, d = 0] = blocks
  const ticked = commit({ openBlock: a }).tick(16)
  const second = commit({ openBlock: b, from: stranger }).tick(0)
  const bad = commit({ openBlock: c }).tick(3)
  const plain = compactJoined(f.proof(d, 500n))
  const items = [
    { openBlock: a, ...ticked },
    { openBlock: c, balance: bad.balance + 1n, proof: bad.proof },
    { openBlock: d, balance: 500n, proof: plain },
    { openBlock: b, ...second },
  ]
  const goBack = await f.chain.snapshot()
  for (const method of ['withdrawBatch', 'cooperativeCloseBatch'] as const) {
    const before = [await f.balance(receiver), await f.balance(stranger)] as const
    const { events } = await batch(method, items)
    const skipped = events.filter(({ name }) => name === 'BatchItemSkipped')
    t.deepEqual(
      skipped.map(({ args }) => args[0]),
      [1n],
    )
    t.is(await f.balance(receiver), before[0] + ticked.balance + second.balance + 500n)
    const rest = method === 'withdrawBatch' ? 0n : 5000n - second.balance
    t.is(await f.balance(stranger), before[1] + rest)
    if (method === 'withdrawBatch') await goBack()
  }
})

behaviour('an item that says anywhere else where its words lie is left out', async (t) => {
  const openBlock = await f.open(5000n)
  await f.chain.mine(1)
  const { balance, proof } = commit({ openBlock }).tick(3)
  const right = 4n + 64n + 128n
  for (const method of ['withdrawBatch', 'cooperativeCloseBatch'] as const) {
    for (const pointer of [
      ...[0n, 1n, 4n, right - 32n, right - 1n, right + 1n, right + 32n, right + 160n, 1n << 255n],
      ...[(1n << 256n) - 1n, (1n << 256n) - 32n, (1n << 256n) - 160n],
    ]) {
      const { events } = await batch(method, [{ openBlock, balance, proof, pointer }])
      t.deepEqual(
        events.map(({ name }) => name),
        ['BatchItemSkipped'],
        `${method}, ${pointer}`,
      )
    }
  }
  // 64 bytes with an r of zero point, too: the signature decides there as well.
  const { interface: abi } = f.channels
  const call = (pointer: bigint) =>
    concat([
      abi.encodeFunctionData('withdraw', [openBlock, balance, concat([word(0), word(pointer)])]),
      proof,
    ])
  const wallet = f.chain.wallet(receiver)
  await reverts(t, wallet.call({ to: f.address, data: call(0n) }), 'ChannelNotFound')
  const at = BigInt(byteLength(call(0n)) - 160)
  await reverts(t, wallet.call({ to: f.address, data: call(at - 32n) }), 'ChannelNotFound')
  await wallet.call({ to: f.address, data: call(at) })
  t.pass()
})

interface Vectors {
  readonly type: string
  readonly type_hash: string
  readonly cases: readonly {
    readonly name: string
    readonly sender: string
    readonly sender_key: string
    readonly receiver: string
    readonly chain_id: number
    readonly contract: string
    readonly open_block: number
    readonly base: string
    readonly step: string
    readonly ticks: number
    readonly w_last: string
    readonly root: string
    readonly digest: string
    readonly signature: string
    readonly shown: readonly { i: number; balance: string; w: string; proof: string }[]
  }[]
  readonly refused: readonly { name: string; of: number; balance: string; proof: string }[]
}

behaviour('the vectors, which neither ethers nor the contract has made', async (t) => {
  const path = new URL('../protocol/ticks-vectors.json', import.meta.url)
  const vectors = JSON.parse(readFileSync(path, 'utf8')) as Vectors
  t.is(id(vectors.type), vectors.type_hash)
  const code = await f.chain.provider.getCode(f.address)
  const extract = async (at: number, balance: string, proof: string) => {
    const vector = vectors.cases[at]
    if (vector === undefined) throw new Error(`no case ${at}`)
    await f.chain.provider.send('hardhat_setCode', [vector.contract, code])
    const contract = f.channels.attach(vector.contract)
    return contract.getFunction('extractTypedBalanceProofSignature')(
      vector.receiver,
      vector.open_block,
      balance,
      proof,
    )
  }
  for (const [at, vector] of vectors.cases.entries()) {
    const { chain_id: chainId, contract, open_block: openBlock, ticks, shown } = vector
    const chain = hashChain(vector.w_last, ticks)
    t.is(chain[0], vector.root)
    const commitment = {
      domain: { chainId: BigInt(chainId), contract },
      ...{ receiver: vector.receiver, openBlock, ticks, root: vector.root },
      ...{ base: BigInt(vector.base), step: BigInt(vector.step) },
    } as Commitment
    t.is(tickProofDigest(commitment), vector.digest)
    const [r, vs] = signCompact(vector.digest, vector.sender_key)
    t.is(computeAddress(vector.sender_key), vector.sender)
    for (const { i, w, balance, proof } of shown) {
      t.is(chain[i], w)
      t.is(packTick({ w, ticks, tick: i, step: commitment.step, r, vs }), proof)
      t.deepEqual(unpackTick(proof).tick, BigInt(i))
      const isHere = BigInt(chainId) === f.chain.chainId
      const signer = await extract(at, balance, proof).catch(() => undefined)
      t.is(signer === vector.sender, isHere, `${vector.name}, tick ${i}`)
    }
  }
  for (const { name, of, balance, proof } of vectors.refused) {
    const signer = await extract(of, balance, proof).catch(() => undefined)
    t.not(signer, vectors.cases[of]?.sender, name)
  }
})
