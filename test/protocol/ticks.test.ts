import { readFileSync } from 'node:fs'
import test from 'ava'
import fc from 'fast-check'
import {
  fieldLines,
  formatBoundPayment,
  parseBoundPayment,
  parseBoundRequest,
  verifyRequest,
} from '../../protocol/bound/index.ts'
import {
  checkCommitment,
  commitmentDigest,
  formatCommitment,
  fromHex,
  hashTick,
  isCommitment,
  isTickForm,
  isTickProof,
  maxTokenAmount,
  mostTicks,
  packTickProof,
  parseAddress,
  parseBlockNumber,
  parseCommitment,
  parseShownProof,
  parseSignature,
  parseTickWord,
  type SignedCommitment,
  signDigest,
  type TickProof,
  tickBalance,
  tickChain,
  tickIndex,
  toHex,
  unpackTickProof,
} from '../../protocol/index.ts'
import { keys } from './bound/vectors.ts'

interface Case {
  readonly name: string
  readonly sender_key: string
  readonly sender: string
  readonly receiver: string
  readonly chain_id: string
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
}

interface Vectors {
  readonly cases: readonly Case[]
  readonly refused: readonly { name: string; of: number; balance: string; proof: string }[]
  readonly wire: {
    readonly w: readonly string[]
    readonly commitment: string
    readonly contract_proof_of_15000: string
    readonly messages: readonly { name: string; kind: string; head: string; mac: string }[]
  }
}

const { cases, refused, wire }: Vectors = JSON.parse(
  readFileSync(new URL('./ticks-vectors.json', import.meta.url), 'utf8'),
)

function readCase(vector: Case) {
  const { receiver, open_block, chain_id, contract, sender } = vector
  return {
    domain: { contract: parseAddress(contract), chainId: BigInt(chain_id) },
    channel: {
      sender: parseAddress(sender),
      receiver: parseAddress(receiver),
      openBlock: parseBlockNumber(`${open_block}`),
    },
    commitment: {
      base: BigInt(vector.base),
      step: BigInt(vector.step),
      ticks: vector.ticks,
      root: parseTickWord(vector.root),
      signature: parseSignature(vector.signature),
    } satisfies SignedCommitment,
  }
}

const ours = cases.filter(({ ticks }) => ticks <= mostTicks)

test('the vectors: chain, digest, signature and the contract’s form to the byte', (t) => {
  t.true(ours.length >= 2)
  for (const vector of ours) {
    const { domain, channel, commitment } = readCase(vector)
    const chain = tickChain(parseTickWord(vector.w_last), vector.ticks)
    t.is(chain[0], commitment.root)
    t.is(chain.length, vector.ticks + 1)
    const digest = commitmentDigest(domain, channel.receiver)(channel.openBlock, commitment)
    t.is<string, string>(toHex(digest), vector.digest)
    t.is(signDigest(digest, fromHex(vector.sender_key)), commitment.signature)
    t.true(isCommitment(domain, channel, commitment))
    for (const { i, w, balance, proof } of vector.shown) {
      const word = parseTickWord(w)
      t.is(chain[i], word)
      t.is(tickIndex(commitment, BigInt(balance)), i)
      t.is(tickBalance(commitment, i), BigInt(balance))
      t.is<string, string>(packTickProof({ commitment, index: i, word }), proof)
      const shown = parseShownProof(proof)
      if (!isTickForm(shown)) return t.fail()
      t.deepEqual(unpackTickProof(shown, BigInt(balance)), { commitment, index: i, word })
      t.true(isTickProof(domain, channel, { balance: BigInt(balance), proof: shown }))
    }
  }
})

test('none of what the vectors say is refused proves anything', (t) => {
  t.true(refused.length > 5)
  for (const { name, of, balance, proof } of refused) {
    const vector = cases[of]
    if (vector === undefined) return t.fail()
    const { domain, channel } = readCase(vector)
    // Of another length it is no tick at all.
    const isTick = /^0x[0-9a-f]{320}$/.test(proof)
    const claim = { balance: BigInt(balance), proof: proof as TickProof }
    t.false(isTick && isTickProof(domain, channel, claim), name)
  }
})

test('the wire example, read and written', (t) => {
  for (const { name, kind, head, mac } of wire.messages) {
    if (kind !== 'request') continue
    const [line = '', ...rest] = head.trimEnd().split('\r\n')
    const [method = '', target = ''] = line.split(' ')
    const lines = rest.flatMap((each) => each.split(/: (.*)/s).slice(0, 2))
    const [path = '', query] = target.split('?')
    const message = { method, path, query: `?${query}`, fields: fieldLines(lines) }
    const claimed = parseBoundRequest(message)
    if (!claimed?.ok) return t.fail(claimed?.detail)
    t.true(verifyRequest(claimed.value, keys).ok, name)
    t.is(Buffer.from(claimed.value.mac).toString('base64'), mac)
    const payment = parseBoundPayment(claimed.value.covered)
    if (payment === undefined) return t.fail()
    const written = Object.entries(formatBoundPayment(payment))
    const names = ['RDN-Balance', 'RDN-Payment', 'RDN-Tick', 'RDN-Tick-Commitment']
    t.deepEqual(
      written,
      message.fields.filter(([each]) => names.includes(each)),
    )
    if (payment.tick && payment.commitment) {
      t.is(formatCommitment(payment.commitment), wire.commitment)
      const index = tickIndex(payment.commitment, payment.balance)
      t.is<string | undefined, string>(wire.w[index ?? -1], payment.tick)
      t.is(hashTick(payment.tick, index ?? -1), payment.commitment.root)
    }
  }
  const commitment = parseCommitment(wire.commitment)
  const word = parseTickWord(wire.w[2] ?? '')
  const proof = packTickProof({ commitment, index: 2, word })
  t.is<string, string>(proof, wire.contract_proof_of_15000)
})

const [base = '', step = '', ticks = '', root = '', signature = ''] = wire.commitment.split(' ')

test('a commitment is five parts within their bounds, and nothing else', (t) => {
  const parts = [base, step, ticks, root, signature]
  const changed = (at: number, part: string) =>
    parts.map((each, place) => (place === at ? part : each)).join(' ')
  for (const good of ['1', '256']) t.is(parseCommitment(changed(2, good)).ticks, Number(good))
  for (const bad of ['0', '257', '016', '1e1', '65536', '9'.repeat(58), '1.0', '']) {
    t.throws(() => parseCommitment(changed(2, bad)), { code: 'not_a_commitment' }, bad)
  }
  t.is(parseCommitment(changed(1, '1')).step, 1n)
  for (const bad of ['0', '01', '-1', '0x1']) {
    t.throws(() => parseCommitment(changed(1, bad)), { code: 'not_a_commitment' }, bad)
  }
  const most = maxTokenAmount - 16n * BigInt(step)
  t.is(parseCommitment(changed(0, `${most}`)).base, most)
  t.throws(() => parseCommitment(changed(0, `${most + 1n}`)), { code: 'not_a_commitment' })
  t.throws(() => parseCommitment(changed(0, '00')), { code: 'not_a_commitment' })
  t.throws(() => parseCommitment(changed(3, root.slice(0, -1))), { code: 'not_a_tick' })
  t.throws(() => parseCommitment(changed(4, signature.slice(0, -1))), { code: 'not_a_signature' })
  const high = `0x${'11'.repeat(32)}${'ff'.repeat(32)}1b`
  t.throws(() => parseCommitment(changed(4, high)), { code: 'high_s_signature' })
  for (const bad of [
    parts.join('  '),
    parts.join('\t'),
    parts.slice(1).join(' '),
    `${parts.join(' ')} 0`,
  ]) {
    t.throws(() => parseCommitment(bad), { code: 'not_a_commitment' })
  }
  t.throws(() => checkCommitment({ ...parseCommitment(parts.join(' ')), ticks: 1.5 }), {
    code: 'not_a_commitment',
  })
})

test('what is malformed in a payment is named by its header', (t) => {
  const fields: { [name: string]: string } = {
    'RDN-Balance': '14000',
    'RDN-Payment': '1000',
    'RDN-Tick': wire.w[1] ?? '',
    'RDN-Tick-Commitment': wire.commitment,
  }
  for (const name of ['RDN-Tick', 'RDN-Tick-Commitment']) {
    for (const bad of ['', '0x', '1 2 3', ` ${fields[name]}`]) {
      t.throws(() => parseBoundPayment((each) => (each === name ? bad : fields[each])), {
        code: 'malformed_header',
        message: new RegExp(`^${name}:`),
      })
    }
  }
})

test('only balances on the grid have a place on it', (t) => {
  const amounts = fc.bigInt({ min: 0n, max: 1n << 64n })
  const grids = fc.record({
    base: amounts,
    step: fc.bigInt({ min: 1n, max: 1n << 40n }),
    ticks: fc.integer({ min: 1, max: mostTicks }),
  })
  fc.assert(
    fc.property(grids, fc.integer({ min: 0, max: mostTicks + 2 }), (grid, at) => {
      const commitment = { ...grid, root: parseTickWord(root) }
      const balance = tickBalance(commitment, at)
      t.is(tickIndex(commitment, balance), at > grid.ticks ? undefined : at)
      if (grid.step > 1n) t.is(tickIndex(commitment, balance + 1n), undefined)
      t.is(tickIndex(commitment, grid.base - 1n), undefined)
    }),
  )
})

test('random bytes of a tick’s length prove nothing and are read without an error of another kind', (t) => {
  const [vector] = ours
  if (vector === undefined) return t.fail()
  const { domain, channel } = readCase(vector)
  const bytes = fc.uint8Array({ minLength: 160, maxLength: 160 })
  fc.assert(
    fc.property(bytes, fc.bigInt({ min: 0n, max: maxTokenAmount }), (random, balance) => {
      const small = Uint8Array.from(random)
      // Counts that could be right: otherwise nearly all fail at once.
      small.fill(0, 32, 60)
      small[61] = 16
      small[62] = 0
      small.fill(0, 64, 90)
      t.false(isTickProof(domain, channel, { balance, proof: toHex(random) as TickProof }))
      t.false(isTickProof(domain, channel, { balance, proof: toHex(small) as TickProof }))
    }),
    { numRuns: 200 },
  )
})
