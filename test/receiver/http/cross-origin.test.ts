// Pages of other origins: who may buy from where, and what of an answer they see. The rules of the Fetch standard
// are a browser's to keep; test/pages/cross-origin.test.ts has one.
import test, { type ExecutionContext } from 'ava'
import { crossOriginHeaders } from '../../../receiver/index.ts'
import { startSystem } from '../../support/system.ts'

const shop = 'https://shop.example'

async function given(t: ExecutionContext, crossOrigins?: readonly string[]) {
  const { base } = await startSystem(t, undefined, {}, { crossOrigins })
  const ask = (path: string, init: RequestInit = {}) => fetch(base + path, init)
  const mayAsk = (origin: string, path = '/reading') =>
    ask(path, {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'GET' },
    })
  return { ask, mayAsk }
}

test('a page of an origin that is named may ask, and sees what it needs to check an answer', async (t) => {
  const { ask, mayAsk } = await given(t, [shop])
  for (const path of ['/reading', '/api/1/channels/0x00/1/request-key']) {
    const allowed = await mayAsk(shop, path)
    t.is(allowed.status, 204)
    t.is(allowed.headers.get('access-control-allow-origin'), shop)
    const names = allowed.headers.get('access-control-allow-headers')?.split(', ') ?? []
    for (const name of [
      'RDN-Balance',
      'RDN-Origin',
      'Signature',
      'Signature-Input',
      'Content-Digest',
    ]) {
      t.true(names.includes(name), name)
    }
    t.false(names.includes('Authorization'))
  }
  const refused = await ask('/reading', { headers: { origin: shop } })
  t.is(refused.status, 402)
  t.is(refused.headers.get('access-control-allow-origin'), shop)
  t.is(refused.headers.get('access-control-allow-credentials'), null)
  t.is(refused.headers.get('vary'), 'Origin')
  const exposed = refused.headers.get('access-control-expose-headers')?.split(', ') ?? []
  const told = [...refused.headers.keys()].filter((name) => name.startsWith('rdn-'))
  t.true(told.length > 3)
  for (const name of [...told, 'signature', 'signature-input', 'content-digest', 'rdn-body']) {
    t.true(exposed.map((each) => each.toLowerCase()).includes(name), name)
  }
})

test('no other page may, and none where no origin is named', async (t) => {
  for (const origins of [[shop], undefined]) {
    const { ask, mayAsk } = await given(t, origins)
    for (const origin of ['https://elsewhere.example', 'http://shop.example', 'null']) {
      t.is((await mayAsk(origin)).headers.get('access-control-allow-origin'), null)
      const answer = await ask('/reading', { headers: { origin } })
      t.is(answer.headers.get('access-control-allow-origin'), null)
    }
  }
})

test('each header is named once, for servers of one’s own', (t) => {
  for (const names of Object.values(crossOriginHeaders)) t.is(new Set(names).size, names.length)
})
