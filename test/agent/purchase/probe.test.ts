// What is altered between agent and receiver is found out without paying, and named.
import test, { type ExecutionContext } from 'ava'
import {
  type Asked,
  between,
  boundReceiver,
  type Meddling,
  type Said,
  withFields,
} from '../../support/bound-receiver.ts'
import { agentWithChannel, asks, lyingReceiver, terms } from '../../support/lying-receiver.ts'

const gone: Said = { status: 404, fields: [], body: Buffer.of() }

async function given(t: ExecutionContext, meddling: Meddling) {
  const { url, books } = await boundReceiver(t)
  const { origin } = await between(t, url, meddling)
  const agent = await agentWithChannel(t, { bound: 'require' })
  return {
    books,
    agent,
    probe: async (path: string) => {
      const found = await agent.probe(`${origin}${path}`)
      // Whatever it finds: nothing was paid, and nothing can be.
      t.is(agent.channels()[0]?.top, 0n)
      t.deepEqual([books.offered, books.unbound], [0n, 0])
      return found
    },
  }
}

const isResource = ({ path }: Asked) => !path.includes('/api/')

/** As `location /shop/ { proxy_pass http://up/; }` has it. */
const strips = (isStripped: (asked: Asked) => boolean): Meddling => ({
  request: (asked) =>
    isStripped(asked) ? { ...asked, path: asked.path.replace(/^\/shop/, '') } : asked,
})

const changesOf = (change: (said: Said) => Said): Meddling => ({
  answer: (said, asked) => (isResource(asked) && said.status === 200 ? change(said) : said),
})

interface Case {
  readonly when: string
  readonly meddling: Meddling
  readonly path?: string
  readonly says: RegExp
}

const alterations: readonly Case[] = [
  {
    when: 'a prefix is taken away from resources',
    meddling: strips(isResource),
    path: '/shop/data',
    says: /^A gateway takes \/shop away from the path \(\/shop\/data arrives as \/data\): set publicPath: \/shop in receiver\.yaml\.$/,
  },
  {
    when: 'a prefix is taken away from everything, the channel API among it',
    meddling: {
      request: (asked) =>
        asked.path.startsWith('/shop/') ? { ...asked, path: asked.path.slice(5) } : gone,
    },
    path: '/shop/data',
    says: /^A gateway takes \/shop away .*its channel API is at \/shop\/api\/1\): set publicPath: \/shop/,
  },
  {
    when: 'the query is taken away',
    meddling: {
      request: (asked) => ({ ...asked, path: asked.path.replace(/\?.*/, '') }),
    },
    path: '/data?unit=c',
    says: /^The query \?unit=c is taken away/,
  },
  {
    when: 'slashes are merged',
    meddling: { request: (asked) => ({ ...asked, path: asked.path.replace('//', '/') }) },
    path: '/data//now',
    says: /^The path \/data\/\/now arrives as \/data\/now/,
  },
  {
    when: 'Accept is altered',
    meddling: {
      request: (asked) => (isResource(asked) ? withFields(asked, { accept: '*/*' }) : asked),
    },
    says: /^The field Accept is altered/,
  },
  {
    when: 'something else is altered',
    meddling: {
      request: (asked) =>
        isResource(asked) && asked.fields.some(([name]) => /^rdn-/i.test(name))
          ? withFields(asked, { 'RDN-Origin': 'http://elsewhere' })
          : asked,
    },
    says: /^The receiver says that our request was altered/,
  },
  {
    when: 'the signature is taken off the answer',
    meddling: changesOf((said) => withFields(said, { Signature: undefined })),
    says: /^The answer is altered, or is not the receiver’s \(status 200\)/,
  },
  {
    when: 'the status is changed',
    meddling: changesOf((said) => ({ ...said, status: 203 })),
    says: /^The answer is altered, or is not the receiver’s \(status 203\)/,
  },
  {
    when: 'the body is changed',
    meddling: changesOf((said) => ({ ...said, body: Buffer.from('[]') })),
    says: /^The body of the answer is altered/,
  },
  {
    when: 'the key cannot be put',
    meddling: {
      request: (asked) => (asked.method === 'PUT' ? { ...asked, body: Buffer.from('{}') } : asked),
    },
    says: /^Its channel cannot be bound\./,
  },
]

for (const { when, meddling, path = '/data', says } of alterations) {
  test(`${when}: it is named`, async (t) => {
    const { probe } = await given(t, meddling)
    const { result, findings } = await probe(path)
    t.is(result, 'altered')
    t.is(findings.length, 1)
    t.regex(findings[0] ?? '', says)
  })
}

test('nothing is altered: it says so, and buying goes on', async (t) => {
  const { probe, agent, books } = await given(t, {})
  t.deepEqual(await probe('/data?a=1'), {
    receiver: terms.receiver,
    result: 'unaltered',
    findings: [],
  })
  t.is(books.served.length, 0)
  t.is(agent.channels()[0]?.balance, 0n)
})

test('a field that somebody adds is named, and alters nothing', async (t) => {
  const { probe } = await given(
    t,
    changesOf((said) => withFields(said, { Location: 'http://elsewhere', Date: 'today' })),
  )
  const { result, findings } = await probe('/data')
  t.is(result, 'unaltered')
  t.deepEqual(findings, ['Something between adds the field location: it is left out.'])
})

test('a receiver that does not offer it, and what is free, are not asked', async (t) => {
  const original = await lyingReceiver(t, ({ request }) =>
    request.url === '/free' ? { status: 200 } : asks(),
  )
  const agent = await agentWithChannel(t)
  const unbound = await agent.probe(original.url)
  t.is(unbound.result, 'notAsked')
  t.regex(unbound.findings[0] ?? '', /does not offer bound requests/)
  const free = await agent.probe(new URL('/free', original.url))
  t.is(free.result, 'notAsked')
  t.is(free.receiver, undefined)
})

test('without a channel there is nothing to ask with', async (t) => {
  const { url, books } = await boundReceiver(t)
  const agent = await agentWithChannel(t, { bound: 'require' }, { state: 'closed' })
  const { result, findings } = await agent.probe(url)
  t.is(result, 'notAsked')
  t.regex(findings[0] ?? '', /no channel to 0x\w{40} yet/)
  t.is(books.offered, 0n)
})
