// Visitors who have not paid make the receiver work: only so much, and nothing else of it.
import { once } from 'node:events'
import { createServer, get, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import test, { type ExecutionContext } from 'ava'
import {
  createTeaserMaker,
  type TeaserLimits,
  teaserLimits,
} from '../../../../receiver/resources/upstream/teaser-maker.ts'
import { givenShop } from '../../../support/shop.ts'
import { until } from '../../../support/until.ts'

/** 9 kB, of which a parser makes a quarter of a million elements: each paragraph repeats all of the first. */
const repeating = `<h1>Title</h1><p>${Array.from({ length: 800 }, (_, n) => `<b a=${n}>`).join('')}${'<p>x'.repeat(300)}`

/** Few nodes, but each end tag looks through all of them for its beginning. */
const deep = `<h1>Title</h1>${'<x>'.repeat(9000)}${'</y>'.repeat(50_000)}`

const small = '<h1>Title</h1><p>paid</p>'
const show = ['h1']

function givenMaker(t: ExecutionContext, limits: Partial<TeaserLimits> = {}) {
  const maker = createTeaserMaker({ ...teaserLimits, rest: 0, ...limits })
  t.teardown(() => maker.close())
  return maker
}

test('a page that repeats its elements without end has no teaser; the next one has', async (t) => {
  const maker = givenMaker(t, { time: 60_000 })
  await t.throwsAsync(maker.make({ html: repeating, show }), { message: /more than 20000 nodes/ })
  t.regex((await maker.make({ html: small, show }))?.afterBase ?? '', /<h1>Title<\/h1>/)
})

test('attributes count as nodes do', async (t) => {
  const maker = givenMaker(t, { time: 60_000 })
  const attributes = (most: number) =>
    `<h1>Title</h1><b ${Array.from({ length: most }, (_, n) => `a${n}`).join(' ')}>`
  t.not(await maker.make({ html: attributes(19_000), show }), undefined)
  await t.throwsAsync(maker.make({ html: attributes(20_000), show }), { message: /20000 nodes/ })
})

test('a page that takes too long is given up, and the next one gets a thread of its own', async (t) => {
  const maker = givenMaker(t, { time: 50 })
  await t.throwsAsync(maker.make({ html: deep, show }), { message: 'it took longer than 50 ms' })
  const made = await until(() => maker.make({ html: small, show }).catch(() => undefined))
  t.regex(made.afterBase, /<h1>Title<\/h1>/)
})

test('a thread that takes too much memory ends alone', async (t) => {
  const maker = givenMaker(t, { memory: 24, time: 60_000 })
  await t.throwsAsync(maker.make({ html: repeating, show }), { code: 'ERR_WORKER_OUT_OF_MEMORY' })
})

test('pages are made one after the other, and none after the end', async (t) => {
  const maker = givenMaker(t)
  const made = await Promise.all([1, 2, 3].map(() => maker.make({ html: small, show })))
  t.is(made.filter((each) => each !== undefined).length, 3)
  await maker.close()
  await t.throwsAsync(maker.make({ html: small, show }))
})

async function givenWiki(t: ExecutionContext, teaser: object, answer: RequestListener) {
  const seen: string[] = []
  let open = 0
  let mostOpen = 0
  const server = createServer((request, response) => {
    seen.push(request.url ?? '')
    open += 1
    mostOpen = Math.max(mostOpen, open)
    response.once('close', () => {
      open -= 1
    })
    response.setHeader('content-type', 'text/html')
    answer(request, response)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  const upstream = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const shop = await givenShop(t, () => ({
    '/wiki/*': { price: '5 units', upstream, teaser: { show, ...teaser } },
  }))
  return { ...shop, seen, mostOpen: () => mostOpen }
}

test.serial(
  'one page that brings a parser down leaves an empty frame, and the shop is open',
  async (t) => {
    const { ask } = await givenWiki(t, {}, (_, response) => void response.end(repeating))
    const [shown, other] = await Promise.all([ask('/api/1/teaser/wiki/a'), ask('/wiki/b')])
    t.deepEqual([shown.status, other.status], [200, 402])
    t.notRegex(await shown.text(), /Title/)
  },
)

test.serial('a visitor cannot bring the page: his query does not reach the upstream', async (t) => {
  const { ask, seen } = await givenWiki(t, {}, ({ url = '' }, response) => {
    response.end(`<h1>Search</h1>${decodeURIComponent(url)}`)
  })
  const shown = await ask(`/api/1/teaser/wiki/search?q=${encodeURIComponent(repeating)}`)
  t.regex(await shown.text(), /<h1>Search<\/h1>/)
  t.deepEqual(seen, ['/wiki/search'])
})

test.serial('of a query only what the configuration names makes another page', async (t) => {
  const { ask, seen } = await givenWiki(t, { query: ['title'] }, ({ url }, response) => {
    response.end(`<h1>${url}</h1>`)
  })
  const shown = async (path: string) => (await ask(`/api/1/teaser${path}`)).text()
  t.regex(await shown('/wiki/a?x=1&title=B'), /<h1>\/wiki\/a\?title=B</)
  await shown('/wiki/a?title=B&x=2&title=C')
  await shown('/wiki/a?y')
  t.deepEqual(seen, ['/wiki/a?title=B', '/wiki/a'])
})

test.serial('one page for all is read once, whatever is asked for', async (t) => {
  const { ask, seen } = await givenWiki(t, { from: '/preview' }, (_, response) => {
    response.end('<h1>Preview</h1><p>more</p>')
  })
  for (const path of ['/wiki/a', '/wiki/b?x=1', '/wiki/c/"><i>']) {
    const html = await (await ask(`/api/1/teaser${path}`)).text()
    const base = new URL(path, 'http://h').pathname
    t.true(html.includes(`<base href="${base}" target="_top">`), html)
  }
  t.deepEqual(seen, ['/preview'])
})

test.serial('the upstream is asked for one page after the other', async (t) => {
  const waiting: (() => void)[] = []
  const { ask, seen, mostOpen } = await givenWiki(t, {}, (_, response) => {
    waiting.push(() => response.end(small))
  })
  const asked = [1, 2, 3].map((n) => ask(`/api/1/teaser/wiki/${n}`))
  for (const _ of asked) {
    await until(() => waiting.length > 0)
    waiting.shift()?.()
  }
  await Promise.all(asked)
  t.deepEqual([seen.length, mostOpen()], [3, 1])
})

test.serial(
  'an address has so many made in a minute; what is there it may still see',
  async (t) => {
    const { ask, seen, base } = await givenWiki(t, {}, (_, response) => void response.end(small))
    const from = (localAddress: string, path: string) =>
      new Promise<string>((resolve, reject) => {
        const request = get(`${base}/api/1/teaser${path}`, { localAddress }, (answer) => {
          text(answer).then((body) => resolve(`${answer.statusCode} ${body}`), reject)
        })
        request.once('error', reject)
      })
    for (let n = 0; n < 30; n++) t.is((await ask(`/api/1/teaser/wiki/${n}`)).status, 200)
    const refused = await ask('/api/1/teaser/wiki/30')
    t.is(refused.status, 429)
    t.regex(refused.headers.get('retry-after') ?? '', /^\d+$/)
    t.notRegex(await refused.text(), /Title/)
    t.is(seen.length, 30)
    t.regex(await from('127.0.0.1', '/wiki/29'), /^200 .*Title/s)
    t.regex(await from('127.0.0.2', '/wiki/30'), /^200 .*Title/s)
  },
)
