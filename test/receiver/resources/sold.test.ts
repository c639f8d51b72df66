// What is sold, and by whom, as buyers read it: with the price, before they pay.
import test from 'ava'
import { parseConfig } from '../../../platform/config/index.ts'
import { createReceiverServer } from '../../../receiver/index.ts'
import { resourcesSchema } from '../../../receiver/resources/configuration/schema.ts'
import { registerResources } from '../../../receiver/resources/routes.ts'
import { givenChannel } from '../../support/channel.ts'

const title = 'Temperature <in> the garden'
const description = 'Measured every minute & kept for a year.'

test('page, problem and line name the goods and the seller; without a name nothing is added', async (t) => {
  const { receiver } = await givenChannel(t, { receiver: { seller: 'Ann’s shop' } })
  const server = await createReceiverServer(receiver, [])
  t.teardown(() => server.close())
  await registerResources(
    server,
    resourcesSchema.parse({
      '/named': { price: '5 units', command: 'echo 21.4', title, description },
      '/plain': { price: '5 units', command: 'echo 21.4' },
    }),
  )
  const base = await server.listen({ host: '127.0.0.1', port: 0 })
  const get = (path: string, accept: string) => fetch(`${base}${path}`, { headers: { accept } })

  t.like(await (await get('/named', 'application/json')).json(), {
    ...{ title: 'Payment required', code: 'payment_required' },
    ...{ resource: { title, description }, seller: 'Ann’s shop' },
  })
  const plain = (await (await get('/plain', 'application/json')).json()) as object
  t.false('resource' in plain)
  t.regex(
    await (await get('/named', '*/*')).text(),
    /^Payment required: 0\.0{17}5 TKN for “Temperature <in> the garden” of Ann’s shop\. /,
  )
  const page = await (await get('/named', 'text/html')).text()
  t.true(page.includes('<h1 id="uraiden-title">Temperature &lt;in&gt; the garden</h1>'))
  t.true(page.includes('Measured every minute &amp; kept for a year.'))
  t.true(page.includes('<strong>Ann’s shop</strong>'))
  t.true(page.includes(receiver.address))
  t.true(
    (await (await get('/plain', 'text/html')).text()).includes(
      'This costs 0.000000000000000005 TKN',
    ),
  )
})

for (const [name, wrong] of Object.entries({
  'of two lines': 'a\nb',
  'that turns the order around': 'a\u202eb',
  'that is empty': '',
  'that is too long': 'a'.repeat(81),
})) {
  test(`a title ${name} is refused`, (t) => {
    const text = `/a: ${JSON.stringify({ price: '1 units', command: 'echo', title: wrong })}`
    t.throws(() => parseConfig(text, { file: 'receiver.yaml', schema: resourcesSchema }), {
      message: /title/,
    })
  })
}
