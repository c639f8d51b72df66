// The paywall over what may be seen of an upstream's page: the wiki of scripts/examples, in a browser.
import test from 'ava'
import type { Page } from 'playwright-core'
import { seriousViolations } from '../support/axe.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { costs, price, testCertificate } from '../support/page-shop.ts'
import { startWiki } from '../support/page-wiki.ts'

const frame = (page: Page) => page.frameLocator('iframe[title="Preview of this page"]')

test.serial(
  'a visitor sees how the page begins, follows a link in it, pays, and reads it all',
  async (t) => {
    const { base, wallet, receiver } = await startWiki(t, { tls: await testCertificate() })
    const window = { wallet, ignoreHTTPSErrors: true }
    const { page, complaints } = await openWindow(await startChromium(t), window)
    t.is((await page.goto(`${base}/wiki/Payment_channel`))?.status(), 402)
    await frame(page).getByRole('heading', { name: 'Payment channel' }).waitFor()
    await frame(page).getByText('Two parties pay each other').waitFor()
    t.false((await frame(page).locator('html').innerHTML()).includes('deposits tokens'))
    const style = await frame(page)
      .locator('h1')
      .evaluate((heading: unknown) => {
        type Styled = { readonly getComputedStyle: (element: unknown) => Record<string, string> }
        return (globalThis as unknown as Styled).getComputedStyle(heading).borderBottomColor
      })
    t.is(style, 'rgb(138, 28, 28)')

    await frame(page).getByRole('link', { name: 'Blockchain' }).click()
    await page.waitForURL('**/wiki/Blockchain')
    await frame(page).getByText('A list of blocks').waitFor()
    await page.getByLabel('Deposit').fill('0.05')
    await page.getByRole('button', { name: 'Open a channel' }).click()
    await page.getByRole('button', { name: `Pay ${costs}` }).click()
    await page.getByText('small payments go through a').waitFor()
    t.is(await page.locator('iframe').count(), 0)
    t.is(receiver.book.unsettled(), price)
    // The test's own wallet is put into each frame, and is not let run in this one.
    t.deepEqual(
      complaints.filter((text) => !text.startsWith('Blocked script execution')),
      [],
    )
  },
)

test.serial(
  'nothing of the upstream runs in the frame, whatever the sanitizer let through',
  async (t) => {
    const { base } = await startWiki(t)
    const { page } = await openWindow(await startChromium(t))
    const attack = `<h1>Attack</h1><script>top.name = 'run'</script><img src="x" onerror="top.name = 'run'">
    <form action="/stolen"><button>Send</button></form><style>h1 { display: none }</style>`
    await page.route('**/api/1/teaser/**', async (route) => {
      const answer = await route.fetch()
      await route.fulfill({ response: answer, body: attack })
    })
    await page.goto(`${base}/wiki/Blockchain`)
    await frame(page).getByRole('heading', { name: 'Attack' }).waitFor()
    await frame(page).getByRole('button', { name: 'Send' }).click()
    await page.getByText('No Ethereum wallet was found').waitFor()
    t.is(await page.evaluate(() => (globalThis as { name?: string }).name), '')
    t.is(page.url(), `${base}/wiki/Blockchain`)
    await page.goto(`${base}/api/1/teaser/wiki/Blockchain`)
    t.is(await page.evaluate(() => (globalThis as { origin?: string }).origin), 'null')
  },
)

test.serial('the frame complains of nothing, and no other site may have it', async (t) => {
  const { base } = await startWiki(t)
  const { page, complaints } = await openWindow(await startChromium(t))
  await page.goto(`${base}/wiki/Blockchain`)
  await frame(page).getByText('A list of blocks').waitFor()
  await page.getByText('No Ethereum wallet was found').waitFor()
  t.deepEqual(complaints, [])
  const answer = await fetch(`${base}/api/1/teaser/wiki/Blockchain`)
  t.regex(answer.headers.get('content-security-policy') ?? '', /frame-ancestors 'self'/)
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`axe finds nothing serious over a teaser, ${colorScheme}`, async (t) => {
    const { base, wallet } = await startWiki(t)
    const { page } = await openWindow(await startChromium(t), { wallet, colorScheme })
    await page.goto(`${base}/wiki/Blockchain`)
    await page.getByText('No channel yet.').waitFor()
    t.deepEqual(await seriousViolations(page), [])
  })
}

test.serial(
  'on a small phone the beginning of the page stays in sight above the paywall',
  async (t) => {
    const { base, wallet } = await startWiki(t)
    const viewport = { width: 320, height: 568 }
    const { page } = await openWindow(await startChromium(t), { wallet, viewport, isMobile: true })
    await page.goto(`${base}/wiki/Blockchain`)
    await page.getByText('No channel yet.').waitFor()
    const heading = await frame(page).getByRole('heading', { name: 'Blockchain' }).boundingBox()
    const card = await page.locator('.u-card').boundingBox()
    t.true(heading !== null && card !== null && heading.y + heading.height <= card.y)
    t.true(card !== null && card.width <= 320)
  },
)
