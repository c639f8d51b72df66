import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { givenShop, type Resources } from '../../support/shop.ts'

const echo = `
export const price = (request, { n }) => BigInt(n)
export const handler = ({ params, body, query }) => ({ n: params.n, body, query })
`

async function givenModule(t: ExecutionContext, source: string, more: object = {}, path = '/m/:n') {
  return givenShop(t, async (folder): Promise<Resources> => {
    await writeFile(join(folder, 'package.json'), '{ "type": "module" }')
    await writeFile(join(folder, 'resource.js'), source)
    return { [path]: { module: './resource.js', ...more } }
  })
}

test.serial('a module says what it sells and what it costs', async (t) => {
  const { ask, buy } = await givenModule(t, echo, { methods: ['GET', 'POST'] })
  t.is((await ask('/m/7')).headers.get('rdn-price'), '7')
  t.deepEqual(await (await buy('/m/7?x=1', 7n)).json(), { n: '7', query: { x: '1' } })
  const posted = await buy('/m/3', 3n, {
    method: 'POST',
    body: '{"a":1}',
    headers: { 'Content-Type': 'application/json' },
  })
  t.deepEqual(await posted.json(), { n: '3', body: { a: 1 }, query: {} })
  t.is((await ask('/m/3', { method: 'PUT' })).status, 404)
})

test.serial('the configuration’s price counts before the module’s', async (t) => {
  const { ask } = await givenModule(t, echo, { price: '4 units', free: ['/m/0'] })
  t.is((await ask('/m/7')).headers.get('rdn-price'), '4')
  t.is((await ask('/m/0')).status, 200)
})

test.serial('a module that throws costs nothing and shows nothing of why', async (t) => {
  const { buy, balance } = await givenModule(
    t,
    `export const handler = () => { throw new Error('/home/pi/secret') }`,
    { price: '4 units' },
  )
  const failed = await buy('/m/1', 4n)
  t.is(failed.status, 500)
  t.is(failed.headers.get('rdn-cost'), '0')
  t.notRegex(await failed.text(), /secret/)
  t.is(balance(), 0n)
})

test.serial('a module may charge less than its price', async (t) => {
  const { buy, balance } = await givenModule(
    t,
    `export const handler = (request, reply) => reply.cost(1n).send('half a page')`,
    { price: '4 units' },
  )
  t.is((await buy('/m/1', 4n)).headers.get('rdn-cost'), '1')
  t.is(balance(), 1n)
})

const mistakes = [
  {
    name: 'no handler',
    source: 'export const price = 1n',
    says: /exports no function named handler/,
  },
  { name: 'a syntax error', source: 'export const = 1', says: /cannot be loaded: / },
  {
    name: 'a price that is none',
    source: 'export const handler = () => 1\nexport const price = 5',
    says: /exports a price that is no text/,
  },
  {
    name: 'no price anywhere',
    source: 'export const handler = () => 1',
    says: /neither the configuration nor .* says what it costs/,
  },
  {
    name: 'a table without the rest',
    source: `export const handler = () => 1\nexport const price = { GET: '1 units' }`,
    says: /what all other requests cost/,
  },
] as const
for (const { name, source, says } of mistakes) {
  test.serial(`a module with ${name} is found at the start, with its key`, async (t) => {
    const error = await t.throwsAsync(givenModule(t, source))
    t.regex(error.message, says)
    t.regex(error.message, /^resources\.\/m\/:n/)
  })
}

test.serial('a price in another token is found at the start, with its key', async (t) => {
  const error = await t.throwsAsync(givenModule(t, echo, { price: '1 RDN' }))
  t.regex(error.message, /^resources\.\/m\/:n: "1 RDN" is in RDN, but the token here is TKN/)
})

test.serial('a path of the receiver’s own is found at the start', async (t) => {
  const error = await t.throwsAsync(givenModule(t, echo, { price: 0 }, '/cm'))
  t.regex(error.message, /sign of life is at .*\/cm.*nothing can be sold there/)
})

test.serial('prices by method and path', async (t) => {
  const { ask } = await givenModule(
    t,
    `export const handler = () => 'x'`,
    {
      methods: ['GET', 'POST', 'DELETE'],
      price: { '*': '9 units', 'GET /m/cheap/*': '1 units', POST: '3 units', '/m/gift': 0 },
      free: ['DELETE'],
    },
    '/m/*',
  )
  const priceOf = async (method: string, path: string) =>
    (await ask(path, { method })).headers.get('rdn-price') ?? 'free'
  t.is(await priceOf('GET', '/m/other'), '9')
  t.is(await priceOf('GET', '/m/cheap/thing'), '1')
  t.is(await priceOf('POST', '/m/cheap/thing'), '3')
  t.is(await priceOf('GET', '/m/gift'), 'free')
  t.is(await priceOf('DELETE', '/m/other'), 'free')
})
