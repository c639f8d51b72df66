// What of a page may be seen before it is paid for, and that nothing else is.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import fc from 'fast-check'
import { fromParse5 } from 'hast-util-from-parse5'
import { selectAll } from 'hast-util-select'
import { parse } from 'parse5'
import { paywallPage } from '../../../../receiver/paywall/paywall-page.ts'
import { resourcesSchema } from '../../../../receiver/resources/configuration/schema.ts'
import { createTeaserCache } from '../../../../receiver/resources/upstream/teaser-cache.ts'
import {
  type TeaserParts,
  teaserDocument,
  unknownSelector,
} from '../../../../receiver/resources/upstream/teaser-document.ts'
import { teaserTarget } from '../../../../receiver/resources/upstream/teaser-routes.ts'
import { givenShop } from '../../../support/shop.ts'
import { until } from '../../../support/until.ts'

const article = `<!doctype html>
<html lang="de" class="theme" data-secret="paid">
<head><title>paid title</title><base href="http://evil.example/">
<meta name="description" content="paid description">
<link rel="stylesheet" href="/static/style.css" media="screen" onload="run()">
<link rel="preload" href="/paid.js" as="script">
<style>p::after { content: 'paid style' }</style>
<script type="application/ld+json">{"articleBody":"paid json"}</script></head>
<body class="wide" onload="run()"><!-- paid comment -->
<div id="wrap" title="paid tooltip" data-text="paid attribute">paid text
<h1 onclick="run()">Title<script>run()</script></h1>
<p class="summary" style="color: red" data-more="paid attribute">The <a href="javascript:run()">first</a>
<a href="/wiki/Other" ping="/spy">link</a> and <img src="/a.png" srcset="/paid.png 2x" alt="a picture" onerror="run()"></p>
<p>paid paragraph</p><svg><text>paid picture</text></svg><iframe srcdoc="paid frame"></iframe>
<noscript>paid noscript</noscript><template><p class="summary">paid template</p></template>
<form action="/buy"><input value="paid field"><textarea>paid area</textarea></form></div>
</body></html>`

const show = ['h1', '.summary']
const made = (html: string, selectors: readonly string[] | undefined) => {
  const parts = teaserDocument({ html, show: selectors })
  return parts && `${parts.beforeBase}<base href="/wiki/Page" target="_top">${parts.afterBase}`
}
const teaser = (html: string, selectors: readonly string[] | undefined = show) =>
  made(html, selectors) ?? 'none'

test('what is named is kept, with its styles and addresses, in what it stood in', (t) => {
  const whole = teaser(article)
  for (const kept of [
    '<html class="theme" lang="de">',
    '<body class="wide"><div id="wrap"><h1>Title</h1>',
    '<p class="summary">The',
    '<a href="/wiki/Other">link</a>',
    '<img src="/a.png" alt="a picture">',
    '<link rel="stylesheet" href="/static/style.css" media="screen">',
    '<base href="/wiki/Page" target="_top">',
  ]) {
    t.true(whole.includes(kept), `${kept} is not in ${whole}`)
  }
})

test('nothing that was not named is in it, nor anything that runs, loads or sends', (t) => {
  t.notRegex(teaser(article), /paid|run\(|script|evil|style=|<style|srcset|ping|form|preload|svg/i)
})

test('a whole page is kept without what runs, loads or sends', (t) => {
  const whole = made(article, undefined) ?? ''
  t.true(whole.includes('paid paragraph'))
  t.notRegex(
    whole,
    /run\(|<script|evil|style=|<style|srcset|ping|<form|preload|<svg|<iframe|paid json/i,
  )
  t.notRegex(whole, /paid (?!text|paragraph|tooltip)/)
})

const without: readonly (readonly [string, string, readonly string[]])[] = [
  ['nothing matches', '<p>paid</p>', ['.summary']],
  ['only something in a form matches', '<form><p class="summary">paid</p></form>', ['.summary']],
  ['only something in a template matches', '<template><h1>paid</h1></template>', ['h1']],
  ['an empty page', '', ['h1']],
]
for (const [name, html, selectors] of without) {
  test(`nothing is shown: ${name}`, (t) => {
    t.notRegex(teaser(html, selectors), /paid/)
  })
}

const attacks = [
  '<h1><noscript><p title="</noscript><img src=x onerror=run()>">',
  '<h1><math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=x onerror=run()&gt;">',
  '<h1><svg></p><style><a id="</style><img src=1 onerror=run()>">',
  '<h1><a href="&#106;avascript:run()">x</a><a href=" java\tscript:run()">y</a></h1>',
  '<h1><img src="javascript:run()"><form><button formaction="javascript:run()">z</button></form></h1>',
  '<h1><plaintext><script>run()</script>',
  '<h1><select><template><img src=x onerror=run()></template></select></h1>',
  '<link rel="stylesheet" href="javascript:run()"><h1>x</h1>',
  '<h1><a href="data:text/html,<script>run()</script>">x</a></h1>',
  '<h1><object data="javascript:run()"></object><embed src="javascript:run()"></h1>',
]
for (const html of attacks) {
  test(`no script survives a second parse: ${html}`, (t) => {
    // The browser parses what was written: nothing may become of text what it was not here.
    const again = made(teaser(html), undefined) ?? ''
    const visible = teaser(html).replace(/<link[^>]*>/g, '')
    t.notRegex(visible, /<[^>]*\son\w+=|<script|(src|href|action)="?\s*(java|data:text)/i)
    t.notRegex(again, /<script|<[^>]*\son\w+=/i)
  })
}

test('whatever the page is, only elements of the rules come out of it', (t) => {
  const pieces = [
    '<h1>',
    '</h1>',
    '<p class=summary>',
    '<script>',
    '</script>',
    '<!--',
    '-->',
    '<svg>',
  ]
  const more = [
    '<style>',
    '</style>',
    '<a href="',
    '">',
    "'",
    '<template>',
    '<table>',
    '<select>',
    'x',
  ]
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...pieces, ...more), { maxLength: 40 }), (parts) => {
      // As a browser reads it: a quoted attribute may well say <template>.
      const shown = parse(made(parts.join(''), undefined) ?? '', { scriptingEnabled: false })
      t.deepEqual(selectAll('script, style, svg, template, select', fromParse5(shown)), [])
    }),
  )
  t.pass()
})

test('a selector that cannot be read is named', (t) => {
  const good = ['h1', 'article > p:first-of-type', '#a .b', '[lang=de]']
  t.is(unknownSelector(good), undefined)
  for (const selector of ['h1 >', '[', 'p:contains(x)']) {
    t.is(unknownSelector([...good, selector]), selector)
  }
})

const targets: readonly (readonly [string, string | undefined, string, string, string])[] = [
  ['http://h:1', undefined, '/wiki/*', '/wiki/A?x=1', 'http://h:1/wiki/A'],
  ['http://h:1', undefined, '/wiki/*', '/wiki/A?x=1&page=2', 'http://h:1/wiki/A?page=2'],
  ['http://h:1', undefined, '/wiki/*', '/wiki/A?p%61ge=%32&page=3', 'http://h:1/wiki/A?page=%32'],
  ['http://h:1/?key=1', undefined, '/wiki/*', '/wiki/A?page=2', 'http://h:1/A?key=1&page=2'],
  ['http://h:1/base', undefined, '/wiki/*', '/wiki/A', 'http://h:1/base/A'],
  ['http://h:1', '/preview/*', '/wiki/*', '/wiki/A?x=1', 'http://h:1/preview/A'],
  ['http://h:1/base', '/preview/*', '/wiki/*', '/wiki/a/b', 'http://h:1/preview/a/b'],
  ['http://h:1', '/welcome', '/wiki/*', '/wiki/A?x=1', 'http://h:1/welcome'],
  ['http://h:1', '/*', '/wiki/*', '/wiki/A', 'http://h:1/A'],
]
for (const [upstream, from, path, url, expected] of targets) {
  test(`the teaser of ${url} at ${upstream}, from ${from ?? 'the page itself'}`, (t) => {
    t.is(teaserTarget({ upstream, from, query: ['page'], path, url }).href, expected)
  })
}

const refused: readonly (readonly [object, RegExp])[] = [
  [{}, /nothing says what may be seen/],
  [{ show: [] }, />=1 items/],
  [{ from: 'http://elsewhere/' }, /no path of the upstream/],
  [{ from: '/a*b' }, /no path of the upstream/],
  [{ show: ['h1'], cache: -1 }, /from 0 to 86400/],
  [{ show: ['h1'], cache: 86_401 }, /from 0 to 86400/],
  [{ show: ['h1'], query: 'title' }, /expected array/],
  [{ show: ['h1'], query: Array(17).fill('x') }, /<=16 items/],
  [{ show: ['h1'], styles: true }, /Unrecognized key/],
]
for (const [given, message] of refused) {
  test(`refused in the configuration: ${JSON.stringify(given)}`, (t) => {
    const entry = { price: '1', upstream: 'http://h', teaser: given }
    const { error } = resourcesSchema.safeParse({ '/a/*': entry })
    t.regex(error?.message ?? '', message)
  })
}

test('a teaser belongs to an upstream', (t) => {
  const entry = { price: '1', files: '/srv', teaser: { show: ['h1'] } }
  t.regex(resourcesSchema.safeParse({ '/a/*': entry }).error?.message ?? '', /teaser/)
})

function givenCache(more: object = {}) {
  let time = 0
  const made: string[] = []
  const waiting: ((teaser: TeaserParts | undefined) => void)[] = []
  const lookup = createTeaserCache({
    make: (key) => {
      made.push(key)
      return new Promise((resolve) => waiting.push(resolve))
    },
    lifetime: 100,
    retry: 10,
    most: 2,
    mostLength: 100,
    mostMaking: 2,
    now: () => time,
    ...more,
  })
  const get = async (key: string, mayMake = async () => true) =>
    (await lookup(key, mayMake))?.afterBase
  const finish = async (teaser: string | undefined) => {
    await until(() => waiting.length > 0)
    waiting.shift()?.(teaser === undefined ? undefined : { beforeBase: '', afterBase: teaser })
  }
  const put = async (key: string, teaser: string | undefined) => {
    const got = get(key)
    await finish(teaser)
    return got
  }
  const pass = (milliseconds: number) => {
    time += milliseconds
  }
  return { get, made, finish, put, pass }
}

test('a teaser is made once for all who want it at the same time, and kept for its lifetime', async (t) => {
  const { get, made, finish, put, pass } = givenCache()
  const both = Promise.all([get('a'), get('a')])
  await finish('A')
  t.deepEqual(await both, ['A', 'A'])
  pass(99)
  t.is(await get('a'), 'A')
  t.deepEqual(made, ['a'])
  pass(1)
  t.is(await put('a', 'B'), 'B')
  t.deepEqual(made, ['a', 'a'])
})

test('where there is none it is tried again soon, not at once', async (t) => {
  const { get, made, put, pass } = givenCache()
  t.is(await put('a', undefined), undefined)
  pass(9)
  t.is(await get('a'), undefined)
  t.is(made.length, 1)
  pass(1)
  t.is(await put('a', 'A'), 'A')
})

test('only so many are kept, and made at the same time', async (t) => {
  const { get, made, put, finish } = givenCache()
  await put('a', 'A')
  await put('b', 'B')
  await get('a')
  await put('c', 'C')
  t.is(await get('a'), 'A')
  t.deepEqual(made, ['a', 'b', 'c'])
  const some = [get('d'), get('e')]
  t.is(await get('f'), undefined)
  await finish('D')
  await finish('E')
  t.deepEqual(await Promise.all(some), ['D', 'E'])
  t.is(await put('f', 'F'), 'F')
})

test('of long ones fewer are kept', async (t) => {
  const { get, made, put } = givenCache()
  await put('a', 'A'.repeat(60))
  await put('b', 'B'.repeat(41))
  t.is((await get('b'))?.length, 41)
  t.is((await put('a', 'A'.repeat(59)))?.length, 59)
  t.is((await get('b'))?.length, 41)
  t.deepEqual(made, ['a', 'b', 'a'])
})

test('whoever may not have one made gets what there is', async (t) => {
  const { get, made, put } = givenCache()
  const mayNot = async () => false
  t.is(await get('a', mayNot), undefined)
  t.deepEqual(made, [])
  await put('a', 'A')
  t.is(await get('a', mayNot), 'A')
})

async function givenUpstream(t: ExecutionContext, listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const names = { style: 'style.css', script: 'script.js' }
const assets = { pages: { paywall: names, dashboard: names }, files: new Map() }

async function givenWiki(t: ExecutionContext, options: object, listener?: RequestListener) {
  const seen: { readonly url: string; readonly headers: object }[] = []
  const upstream = await givenUpstream(t, (request, response) => {
    seen.push({ url: request.url ?? '', headers: request.headers })
    if (listener !== undefined) return listener(request, response)
    response.setHeader('content-type', 'text/html; charset=utf-8').end(article)
  })
  const resources = {
    '/wiki/*': { price: '5 units', upstream, teaser: { show, ...options } },
    '/plain/*': { price: '5 units', upstream },
  }
  const shop = await givenShop(t, () => resources, { page: paywallPage(assets) })
  const browse = (path: string) => shop.ask(path, { headers: { accept: 'text/html' } })
  return { ...shop, seen, browse }
}

test.serial(
  'a browser gets the paywall with a frame of the teaser, which asks for nothing paid',
  async (t) => {
    const { ask, browse, buy, seen } = await givenWiki(t, {})
    const refusedAnswer = await browse('/wiki/Page?x="<b>')
    t.is(refusedAnswer.status, 402)
    t.deepEqual(seen, [])
    const html = await refusedAnswer.text()
    t.notRegex(html, /Title|paid/)
    t.regex(
      html,
      /<iframe[^>]* sandbox="allow-top-navigation-by-user-activation" src="\/api\/1\/teaser\/wiki\/Page\?x=/,
    )
    t.regex(refusedAnswer.headers.get('content-security-policy') ?? '', /frame-src 'self'/)

    const shown = await ask('/api/1/teaser/wiki/Page?x=1', {
      headers: { cookie: 'login=me', authorization: 'Basic eA==', 'x-forwarded-for': '1.2.3.4' },
    })
    t.is(shown.status, 200)
    t.true((await shown.text()).includes('<h1>Title</h1>'))
    const policy = shown.headers.get('content-security-policy') ?? ''
    t.regex(policy, /^sandbox allow-top-navigation-by-user-activation; default-src 'none'/)
    t.notRegex(policy, /script|unsafe/)
    t.like(seen, [{ url: '/wiki/Page' }])
    t.notRegex(JSON.stringify(seen), /login=me|Basic|1\.2\.3\.4/)
    await ask('/api/1/teaser/wiki/Page?x=2')
    t.is(seen.length, 1)

    t.is((await ask('/wiki/Page')).status, 402)
    const paid = await buy('/wiki/Page', 5n)
    t.deepEqual([paid.status, await paid.text()], [200, article])
  },
)

test.serial('a resource without a teaser has no frame and no address for one', async (t) => {
  const { ask, browse } = await givenWiki(t, {})
  const answer = await browse('/plain/Page')
  t.notRegex(await answer.text(), /iframe/)
  t.regex(answer.headers.get('content-security-policy') ?? '', /frame-src blob:/)
  t.is((await ask('/api/1/teaser/plain/Page')).status, 404)
  t.is((await ask('/api/1/teaser/wiki/..%2fplain')).status, 400)
})

const html = { 'content-type': 'text/html' }
const blanks: { readonly [name: string]: RequestListener } = {
  missing: (_, response) => void response.writeHead(404, html).end(article),
  moved: (_, response) => void response.writeHead(302, { location: '/wiki/x' }).end(),
  json: (_, response) => void response.end('{"a":"<h1>Title</h1>"}'),
  zipped: (_, response) =>
    void response.writeHead(200, { ...html, 'content-encoding': 'gzip' }).end(article),
  over256kB: (_, response) =>
    void response.writeHead(200, html).end(`${article}${'x'.repeat(1 << 18)}`),
  brokenOff: (request) => void request.socket.destroy(),
}
test.serial('a page that cannot be shown leaves an empty frame', async (t) => {
  const { ask } = await givenWiki(t, {}, (request, response) => {
    blanks[request.url?.slice('/wiki/'.length) ?? '']?.(request, response)
  })
  for (const name of Object.keys(blanks)) {
    const answer = await ask(`/api/1/teaser/wiki/${name}`)
    t.is(answer.status, 200, name)
    t.notRegex(await answer.text(), /Title/, name)
  }
})

test.serial('a page is read in the letters that it says it is written in', async (t) => {
  const { ask } = await givenWiki(t, {}, (_, response) => {
    response.setHeader('content-type', 'text/html; charset=iso-8859-1')
    response.end(Buffer.from('<h1>Grüße</h1>', 'latin1'))
  })
  t.regex(await (await ask('/api/1/teaser/wiki/Page')).text(), /<h1>Grüße<\/h1>/)
})

test.serial('a selector that cannot be read stops the start and names the resource', async (t) => {
  await t.throwsAsync(givenWiki(t, { show: ['h1 >'] }), {
    code: 'selector_invalid',
    message: /resources\.\/wiki\/\*: teaser\.show: "h1 >"/,
  })
})
