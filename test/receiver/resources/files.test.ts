import { mkdir, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createReceiverServer } from '../../../receiver/index.ts'
import { registerResources } from '../../../receiver/resources/routes.ts'
import { givenShop, rawRequest } from '../../support/shop.ts'

async function givenArchive(t: ExecutionContext) {
  let archive = ''
  const shop = await givenShop(t, async (folder) => {
    archive = join(folder, 'archive')
    await mkdir(join(archive, 'deep/.git'), { recursive: true })
    await mkdir(join(archive, 'empty'))
    await writeFile(join(archive, 'a b.txt'), '0123456789')
    await writeFile(join(archive, 'deep/index.html'), '<p>deep</p>')
    await writeFile(join(archive, 'deep/.git/config'), 'secret')
    await writeFile(join(archive, '.env'), 'secret')
    await writeFile(join(folder, 'outside.txt'), 'secret')
    return {
      '/archive/*': { price: '5 units', files: './archive' },
      '/manual': { price: '2 units', files: './archive/a b.txt' },
    }
  })
  return { ...shop, archive }
}

test.serial(
  'a file is sold whole and in ranges, with its type, and again with its tag for nothing',
  async (t) => {
    const { ask, buy } = await givenArchive(t)
    t.is((await ask('/archive/a%20b.txt')).status, 402)
    const whole = await buy('/archive/a%20b.txt', 5n)
    t.is(whole.status, 200)
    t.is(whole.headers.get('content-type'), 'text/plain; charset=utf-8')
    t.is(await whole.text(), '0123456789')

    const part = await buy('/archive/a%20b.txt', 5n, { headers: { Range: 'bytes=2-4' } })
    t.is(part.status, 206)
    t.is(part.headers.get('content-range'), 'bytes 2-4/10')
    t.is(await part.text(), '234')

    const tag = whole.headers.get('etag') ?? ''
    // Without it fetch would ask for a fresh one.
    const headers = { 'If-None-Match': tag, 'Cache-Control': 'max-age=0' }
    const unchanged = await buy('/archive/a%20b.txt', 5n, { headers })
    t.is(unchanged.status, 304)
    t.is(unchanged.headers.get('rdn-cost'), '0')

    const beyond = await buy('/archive/a%20b.txt', 5n, { headers: { Range: 'bytes=99-' } })
    t.is(beyond.status, 416)
    t.is(beyond.headers.get('rdn-cost'), '0')
  },
)

test.serial('a single file is sold under a path of its own, and HEAD costs the same', async (t) => {
  const { buy, ask } = await givenArchive(t)
  t.is(await (await buy('/manual', 2n)).text(), '0123456789')
  t.is((await ask('/manual', { method: 'HEAD' })).status, 402)
  const head = await buy('/manual', 2n, { method: 'HEAD' })
  t.is(head.headers.get('content-length'), '10')
})

test.serial('a folder with an index page is sold with a slash at the end', async (t) => {
  const { ask, buy } = await givenArchive(t)
  const moved = await ask('/archive/deep?x=1', { redirect: 'manual' })
  t.is(moved.status, 301)
  t.is(moved.headers.get('location'), '/archive/deep/?x=1')
  t.is(await (await buy('/archive/deep/', 5n)).text(), '<p>deep</p>')
})

test.serial(
  'pages of a folder have an origin of nobody’s, unless its owner wants it otherwise',
  async (t) => {
    const { archive, buy, open } = await givenArchive(t)
    await writeFile(join(archive, 'picture.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
    const policy = 'content-security-policy'
    for (const [path, expected] of [
      ['deep/', 'sandbox allow-scripts'],
      ['picture.svg', 'sandbox allow-scripts'],
      ['a%20b.txt', null],
    ] as const) {
      t.is((await buy(`/archive/${path}`, 5n)).headers.get(policy), expected, path)
    }
    const { base } = await open({ '/own/*': { price: '0', files: './archive', sandbox: false } })
    t.is((await fetch(`${base}/own/deep/`)).headers.get(policy), null)
  },
)

test.serial('what is not there, or begins with a dot, is 404 before anybody pays', async (t) => {
  const { ask } = await givenArchive(t)
  for (const path of [
    'nothing.txt',
    'empty/',
    'empty',
    '.env',
    'deep/.git/config',
    'a%20b.txt/',
    'a%20b.txt/x',
    '',
  ]) {
    const answer = await ask(`/archive/${path}`)
    t.is(answer.status, 404, path)
    t.like(await answer.json(), { code: 'file_unknown' })
  }
})

test.serial('no path leads out of the folder', async (t) => {
  const { base, headers } = await givenArchive(t)
  const payment = Object.entries(headers(5n))
    .map(([name, value]) => `\r\n${name}: ${value}`)
    .join('')
  for (const path of [
    '/archive/../outside.txt',
    '/archive/%2e%2e/outside.txt',
    '/archive/..%2foutside.txt',
    '/archive/..%5coutside.txt',
    '/archive/deep/../../outside.txt',
    '/archive/.%2e/outside.txt',
    '/archive/..;/outside.txt',
    '/archive/%252e%252e%252foutside.txt',
    '/archive/..\\outside.txt',
    '/archive/a%00b.txt',
    '/archive//../outside.txt',
    '/archive/%',
    '/archive//etc/passwd',
  ]) {
    const answer = await rawRequest(base, `GET ${path} HTTP/1.1${payment}`)
    t.regex(answer, /^HTTP\/1\.1 40[04] /, path)
    t.false(answer.includes('secret') || answer.includes('root:'), path)
  }
})

test.serial('links inside the folder are followed', async (t) => {
  const { archive, buy } = await givenArchive(t)
  await symlink(join(archive, 'deep'), join(archive, 'linked'))
  await symlink('../a b.txt', join(archive, 'deep/up.txt'))
  t.is(await (await buy('/archive/linked/', 5n)).text(), '<p>deep</p>')
  t.is(await (await buy('/archive/deep/up.txt', 5n)).text(), '0123456789')
})

/** Whoever else may write in the folder: where his links lead. */
const leaks = [
  ['reading.txt', '../outside.txt', 'reading.txt'],
  ['reading-2.txt', '/etc/passwd', 'reading-2.txt'],
  ['etc', '/etc', 'etc/passwd'],
  ['up', '..', 'up/outside.txt'],
  ['self', '../archive', 'self/a%20b.txt'],
  ['hidden.txt', '.env', 'hidden.txt'],
  ['git', 'deep/.git', 'git/config'],
  ['gone.txt', 'nowhere', 'gone.txt'],
  ['loop', 'loop', 'loop'],
] as const
test.serial('links out of the folder, and to what begins with a dot, are not there', async (t) => {
  const { archive, ask } = await givenArchive(t)
  for (const [name, target, path] of leaks) {
    await symlink(target, join(archive, name))
    // What comes back to the folder is in it.
    t.is((await ask(`/archive/${path}`)).status, name === 'self' ? 402 : 404, path)
  }
})

test.serial('a link that is put there while a buyer pays is not sold', async (t) => {
  const { archive, ask, buy } = await givenArchive(t)
  t.is((await ask('/archive/a%20b.txt')).status, 402)
  await rm(join(archive, 'a b.txt'))
  await symlink('../outside.txt', join(archive, 'a b.txt'))
  const answer = await buy('/archive/a%20b.txt', 5n)
  t.is(answer.status, 404)
  t.notRegex(await answer.text(), /secret/)
})

test.serial('links: follow sells wherever they lead', async (t) => {
  const { archive, buy, open } = await givenArchive(t)
  await symlink('../outside.txt', join(archive, 'reading.txt'))
  const { base } = await open({
    '/open/*': { price: '0', files: './archive', links: 'follow' },
    '/one': { price: '0', files: './archive/reading.txt', links: 'follow' },
  })
  for (const path of ['/open/reading.txt', '/one']) {
    t.is(await (await fetch(`${base}${path}`)).text(), 'secret', path)
  }
  t.is((await buy('/archive/reading.txt', 5n)).status, 404)
})

test.serial('a single file that is a link out of its folder is found at the start', async (t) => {
  const { archive, open } = await givenArchive(t)
  await symlink('../outside.txt', join(archive, 'reading.txt'))
  await t.throwsAsync(open({ '/x': { price: 1, files: './archive/reading.txt' } }), {
    code: 'resource_missing',
    message: /is a link out of its folder/,
  })
})

test.serial('a folder that is not there is found at the start, with its key', async (t) => {
  const { archive, open } = await givenArchive(t)
  for (const [files, path, says] of [
    [join(archive, 'gone'), '/x/*', /resources\.\/x\/\*\.files: .*gone is not there/],
    [join(archive, 'a b.txt'), '/x/*', /is a file\./],
    [archive, '/x', /is a folder\./],
  ] as const) {
    const error = await t.throwsAsync(open({ [path]: { price: 1, files } }))
    t.regex(error.message, says)
  }
})

test.serial(
  'the original’s page: what is in its folder js comes first, then what is beside it',
  async (t) => {
    const { archive, receiver } = await givenArchive(t)
    await mkdir(join(archive, 'js/deep'), { recursive: true })
    await writeFile(join(archive, 'js/main.js'), 'main')
    await writeFile(join(archive, 'both.js'), 'beside')
    await writeFile(join(archive, 'js/both.js'), 'inside')
    const server = await createReceiverServer(receiver, [])
    t.teardown(() => server.close())
    const page = {
      kind: 'files',
      files: archive,
      first: join(archive, 'js'),
      links: 'inside',
    } as const
    await registerResources(server, { '/js/*': { ...page, sandbox: false, price: '0', free: [] } })
    const base = await server.listen({ host: '127.0.0.1', port: 0 })
    for (const [path, expected] of [
      ['main.js', 'main'],
      ['js/main.js', 'main'],
      ['both.js', 'inside'],
      ['a%20b.txt', '0123456789'],
      ['.env', 404],
      ['nothing', 404],
    ] as const) {
      const answer = await fetch(`${base}/js/${path}`)
      t.is(typeof expected === 'number' ? answer.status : await answer.text(), expected, path)
    }
  },
)
