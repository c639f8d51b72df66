// A page of another origin that buys with the library: its browser keeps the rules of the Fetch standard.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { build } from 'esbuild'
import { openWindow, startChromium } from '../support/chromium.ts'
import { price, startShop } from '../support/page-shop.ts'

test('a page from elsewhere pays bound and checks what it gets', async (t) => {
  const { outputFiles } = await build({
    entryPoints: ['browser/index.ts'],
    bundle: true,
    format: 'esm',
    platform: 'browser',
    write: false,
  })
  const elsewhere = createServer((request, response) => {
    const isScript = request.url === '/library.js'
    response.setHeader('content-type', isScript ? 'text/javascript' : 'text/html')
    response.end(isScript ? outputFiles[0]?.contents : '<link rel="icon" href="data:,">')
  })
  await new Promise<void>((resolve) => elsewhere.listen(0, '127.0.0.1', resolve))
  t.teardown(() => elsewhere.close())
  const origin = `http://127.0.0.1:${(elsewhere.address() as AddressInfo).port}`

  const shop = await startShop(t, {}, { crossOrigins: [origin] })
  const { page, complaints } = await openWindow(await startChromium(t), { wallet: shop.wallet })
  await page.goto(origin)
  const { receiverAccount, contract, base } = shop
  const facts = { base, receiver: receiverAccount.address, contract, price: `${price}` }
  const bought = await page.evaluate(buy, facts)
  t.deepEqual(bought, { celsius: 21.4, authentic: true })
  t.is(shop.receiver.book.unsettled(), price)
  t.deepEqual(
    complaints.filter((text) => !text.includes('status of 404')),
    [],
  )
})

/** Runs in the page. */
async function buy(facts: {
  readonly base: string
  readonly receiver: string
  readonly contract: string
  readonly price: string
}): Promise<unknown> {
  const path = '/library.js'
  const library: typeof import('../../browser/index.ts') = await import(path)
  const provider = await new Promise<import('../../browser/index.ts').Eip1193Provider>(
    (resolve) => void library.discoverWallets((found) => resolve(found.provider)),
  )
  const [account] = await library.requestAccounts(provider)
  const { base, receiver, contract } = facts
  type Options = Parameters<typeof library.createBrowserClient>[0]
  const client = await library.createBrowserClient({
    ...{ wallet: provider, account, receiver, contract, api: `${base}/api/1`, interval: 50 },
  } as Options)
  const price = BigInt(facts.price)
  await client.openChannel(price)
  const { response, authentic } = await client.pay(`${base}/reading`, { price })
  return { ...((await response.json()) as object), authentic }
}
