// What does not show at first sight: weight, policies, screen readers, keyboard, small screens.
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import type { Page, Response } from 'playwright-core'
import { createAdmin } from '../../receiver/server/admin/admin.ts'
import { adminSchema } from '../../receiver/server/admin/config.ts'
import { seriousViolations } from '../support/axe.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { unfitElements } from '../support/measure.ts'
import { costs, startShop } from '../support/page-shop.ts'
import { startWiki } from '../support/page-wiki.ts'

/** kB, compressed, of everything that the browser loads for the page. */
const budget = 120

interface Visited {
  readonly base: string
  readonly path: string
  /** What is there when the page can be used. */
  readonly ready: string
}

const pages: { readonly [name: string]: (t: ExecutionContext) => Promise<Visited> } = {
  'the paywall': async (t) => {
    const { base } = await startShop(t)
    return { base, path: '/reading', ready: '#uraiden-app button' }
  },
  'the paywall over a teaser': async (t) => {
    const { base } = await startWiki(t)
    return { base, path: '/wiki/Blockchain', ready: '#uraiden-app button' }
  },
  'the dashboard': async (t) => {
    const admin = await createAdmin(adminSchema.parse({}))
    const { adminBase } = await startShop(t, {}, { admin })
    return { base: adminBase, path: '/admin', ready: '#d-login:not([hidden]) button' }
  },
}

for (const [name, given] of Object.entries(pages)) {
  test.serial(`${name} weighs less than 120 kB, and loads nothing from elsewhere`, async (t) => {
    const { base, path, ready } = await given(t)
    const { page } = await openWindow(await startChromium(t))
    const answers: Promise<{ readonly url: string; readonly size: number }>[] = []
    const weigh = async (response: Response) => {
      const zipped = response.headers()['content-encoding'] === 'gzip'
      const body = await response.body()
      const size = zipped ? gzipSync(body, { level: 9 }).length : body.length
      return { url: response.url(), size }
    }
    page.on('response', (response) => answers.push(weigh(response)))
    await page.goto(base + path, { waitUntil: 'networkidle' })
    await page.locator(ready).first().waitFor({ state: 'attached' })
    page.removeAllListeners('response')
    const loaded = await Promise.all(answers)
    const size = loaded.reduce((sum, each) => sum + each.size, 0) / 1000
    t.log(`${size.toFixed(1)} kB compressed in ${loaded.length} answers`)
    t.true(loaded.length >= 3 && size < budget)
    t.deepEqual(
      loaded.filter(({ url }) => !url.startsWith(base)).map(({ url }) => url),
      [],
    )
    t.log(`interactive after ${await timesOf(page)} ms`)
  })
}

/** How long the page's script took to be there in some visits, for the log: nothing depends on it. */
async function timesOf(page: Page): Promise<string> {
  const times: number[] = []
  for (let visit = 0; visit < 5; visit++) {
    await page.reload({ waitUntil: 'networkidle' })
    times.push(
      await page.evaluate(() => {
        const [ready] = performance.getEntriesByName('uraiden-ready')
        return Math.round(ready?.startTime ?? Number.NaN)
      }),
    )
  }
  return times.sort((a, b) => a - b).join(', ')
}

test.serial('nothing inline is run, and no other page may frame this one', async (t) => {
  const { base } = await startShop(t)
  const accept = 'text/html'
  const answer = await fetch(`${base}/reading`, { headers: { accept } })
  const policy = answer.headers.get('content-security-policy') ?? ''
  t.regex(policy, /default-src 'none'/)
  t.regex(policy, /frame-ancestors 'none'/)
  t.notRegex(policy, /unsafe/)
  const html = await answer.text()
  t.notRegex(html, /<script(?![^>]* src=)|<style|\son\w+=|style=/i)
  t.is(answer.headers.get('cache-control'), 'no-store')

  const [script = ''] = /\/api\/1\/web\/[^"]+\.js/.exec(html) ?? []
  const asset = await fetch(base + script)
  t.regex(asset.headers.get('cache-control') ?? '', /immutable/)
  t.is(asset.headers.get('x-content-type-options'), 'nosniff')
  t.is((await fetch(`${base}/api/1/web/..%2f..%2fpackage.json`)).status, 400)
  t.is((await fetch(`${base}/api/1/web/package.json`)).status, 404)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`axe finds nothing serious at any step, ${colorScheme}`, async (t) => {
    const { base, wallet, chain } = await startShop(t)
    const browser = await startChromium(t)
    const { page } = await openWindow(browser, { wallet, colorScheme })
    const check = async (step: string) => t.deepEqual(await seriousViolations(page), [], step)
    wallet.disturb(({ method }) => (method === 'eth_accounts' ? { code: 4100 } : undefined))
    await page.goto(`${base}/reading`)
    await page.getByRole('button', { name: 'Connect Test Wallet' }).waitFor()
    await check('choose a wallet')
    await page.getByRole('button', { name: 'Connect Test Wallet' }).click()
    await page.getByText('No channel yet.').waitFor()
    await check('open')
    await page.getByLabel('Deposit').fill('nonsense')
    await page.getByRole('button', { name: 'Open a channel' }).click()
    await page.getByRole('alert').getByText('is not an amount').waitFor()
    await check('an error')
    await page.getByLabel('Deposit').fill('0.01')
    await page.getByRole('button', { name: 'Open a channel' }).click()
    await page.getByText('2 more purchases').waitFor()
    await page.getByText('More about the channel').click()
    await check('pay')
    await page.getByRole('button', { name: `Pay ${costs}` }).click()
    await page.getByRole('region', { name: 'What you bought' }).waitFor()
    await check('bought')
    await chain.mine(1)
    await page.getByRole('button', { name: 'Close without the server' }).click()
    await page.getByText('it can be settled after block').waitFor()
    await check('closing')
  })
}

test.serial(
  'the keyboard alone opens and pays, and the focus goes to what was bought',
  async (t) => {
    const { base, wallet } = await startShop(t)
    const { page } = await openWindow(await startChromium(t), { wallet })
    await page.goto(`${base}/reading`)
    await page.getByText('No channel yet.').waitFor()
    const focused = () => page.evaluate<string>('document.activeElement?.textContent ?? ""')
    const tabTo = async (text: RegExp) => {
      for (let tries = 0; tries < 20 && !text.test(await focused()); tries++) {
        await page.keyboard.press('Tab')
      }
      t.regex(await focused(), text)
    }
    await tabTo(/^Open a channel/)
    await page.keyboard.press('Enter')
    await page.getByText('10 more purchases').waitFor()
    await tabTo(/^Pay/)
    await page.keyboard.press('Enter')
    await page.getByRole('region', { name: 'What you bought' }).waitFor()
    await page.waitForFunction('document.activeElement?.textContent === "What you bought"')
    t.pass()
  },
)

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(
    `nothing is cut off at any width, with a wallet and without, ${colorScheme}`,
    async (t) => {
      const { base, wallet } = await startShop(t, { seller: 'A shop with a name of some length' })
      const browser = await startChromium(t)
      const fits = async (page: Page, step: string) => {
        for (const width of [320, 390, 768, 1280]) {
          await page.setViewportSize({ width, height: 568 })
          t.deepEqual(await unfitElements(page), [], `${step} at ${width}`)
        }
        t.deepEqual(await seriousViolations(page), [], step)
      }
      const without = await openWindow(browser, { colorScheme, isMobile: true })
      await without.page.goto(
        `${base}/a/rather/long/path/of-a-resource/with/many/parts?at=1&of='2'`,
      )
      await without.page.getByRole('img', { name: 'QR code' }).waitFor()
      await without.page.getByText(/^uraiden-agent get 'http/).waitFor()
      await fits(without.page, 'without a wallet')
      await without.window.grantPermissions(['clipboard-read', 'clipboard-write'])
      await without.page.getByRole('button', { name: 'Copy' }).click()
      await without.page.getByText('Copied').waitFor()
      const copied = await without.page.evaluate('navigator.clipboard.readText()')
      t.regex(String(copied), /^uraiden-agent get 'http:\/\/127.+many\/parts\?at=1&of=/)
      t.deepEqual(without.complaints, [])

      const { page } = await openWindow(browser, { wallet, colorScheme, isMobile: true })
      await page.goto(`${base}/reading`)
      await page.getByText('No channel yet.').waitFor()
      t.is(await page.getByRole('img', { name: 'QR code' }).count(), 0)
      await fits(page, 'with a wallet')
      for (const button of await page.getByRole('button').all()) {
        const box = await button.boundingBox()
        if (box !== null) t.true(box.height >= 36)
      }
    },
  )
}
