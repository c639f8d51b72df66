// The agent's page with a month of data: that it fits every screen, and that it says what is so.
import { readFile } from 'node:fs/promises'
import test, { type ExecutionContext } from 'ava'
import type { BrowserContextOptions, Page } from 'playwright-core'
import { formatAmount, parseAmount } from '../../protocol/index.ts'
import { monthEnd, startMonthPage } from '../support/agent-month.ts'
import { pageToken } from '../support/agent-page.ts'
import { seriousViolations } from '../support/axe.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { unfitElements } from '../support/measure.ts'
import { until } from '../support/until.ts'

async function givenMonth(
  t: ExecutionContext,
  options: BrowserContextOptions = {},
  change: Parameters<typeof startMonthPage>[1] = {},
) {
  const month = await startMonthPage(t, change)
  const { page, complaints } = await openWindow(await startChromium(t), options)
  await page.clock.setFixedTime(monthEnd)
  await page.goto(month.url)
  await page.locator('.a-plot canvas').waitFor()
  return { ...month, page, complaints }
}

/** It is drawn anew when it knows its width. */
async function isDrawn(page: Page): Promise<boolean> {
  const [plot, canvas] = ['.a-plot', '.a-plot canvas'].map((each) => page.locator(each))
  const [room, drawn] = [await plot?.boundingBox(), await canvas?.boundingBox()]
  return room?.width !== undefined && Math.abs(room.width - (drawn?.width ?? 0)) < 2
}

const tkn = { symbol: 'TKN', decimals: 18 }

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`nothing is cut off or scrolls sideways on any screen, ${colorScheme}`, async (t) => {
    const { page, complaints } = await givenMonth(t, { colorScheme })
    await page.getByRole('button', { name: 'Allow actions…' }).click()
    await page.getByLabel('Token').fill(pageToken)
    await page.keyboard.press('Enter')
    await page.getByText('Actions are allowed in this tab.').waitFor()
    for (const summary of await page.locator('summary').all()) {
      if (await summary.isVisible()) await summary.click()
    }
    await page.getByRole('button', { name: 'Show all 50' }).click()
    for (const width of [320, 390, 768, 1280]) {
      await page.setViewportSize({ width, height: 800 })
      for (const range of ['48 hours', '30 days', '400 days']) {
        await page.getByRole('button', { name: range }).click()
        await until(() => isDrawn(page))
        t.deepEqual(await unfitElements(page), [], `${width} px, ${range}`)
      }
      t.deepEqual(await seriousViolations(page), [], `${width} px`)
    }
    t.deepEqual(complaints, [])
  })
}

test.serial('what is wrong stands first, in the tab, its icon and the page', async (t) => {
  const { page } = await givenMonth(t)
  t.is(await page.title(), '✘ 1 job failing: door – µRaiden agent')
  const icon = () => page.locator('link[rel=icon]').getAttribute('href')
  t.regex((await icon()) ?? '', /^data:image\/svg\+xml,.*a3161b/)
  await page.getByText('failing', { exact: true }).waitFor()
  await page.getByText('1 job failing: door · 1 budget spent').waitFor()
  const titles = await page.locator('h2').filter({ visible: true }).allTextContents()
  t.deepEqual(titles.slice(0, 2), ['Errors', 'Jobs'])
  const spent = page.getByRole('meter', { name: 'Job forecast: Day' })
  t.is(await spent.getAttribute('aria-valuetext'), 'spent, free again at 00:00 UTC')
  const [bar, fill] = [await spent.boundingBox(), await spent.locator('.a-fill').boundingBox()]
  t.true((fill?.width ?? 0) > (bar?.width ?? Number.POSITIVE_INFINITY) - 3)
  await section(page, 'Budget left').getByText('lasts until 16:30 UTC').waitFor()
  await section(page, 'Jobs').getByText('in 3 min, every 5 min').waitFor()
  await section(page, 'Jobs').getByText('°C', { exact: true }).waitFor()
  await page
    .getByRole('img', { name: /^the last 48 values, from [0-9.]+ to [0-9.]+$/ })
    .first()
    .waitFor()
})

test.serial('an agent that is well says so, and shows no errors', async (t) => {
  const { page } = await givenMonth(t, {}, { jobs: [], troubles: [], budget: undefined })
  t.is(await page.title(), '✔ µRaiden agent')
  t.is(await section(page, 'Errors').count(), 0)
  await page.getByText('all is well').waitFor()
})

test.serial('spending is the ledger’s sums, as bars, as a table and as a file', async (t) => {
  const { page, rows } = await givenMonth(t)
  const spent = rows.reduce((sum, each) => sum + each.spent, 0n)
  const bought = rows.reduce((sum, each) => sum + each.purchases, 0)
  await page.getByRole('button', { name: '30 days' }).click()
  const words = `${formatAmount(spent, tkn)} spent on ${bought} purchases`
  await section(page, 'Spending').getByText(words).waitFor()
  t.is(await page.locator('.a-legend li').count(), 5)
  await page.getByText('As a table').click()
  t.is(await page.locator('.a-sums tbody tr').count(), 30)
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download as CSV' }).click(),
  ])
  t.is(download.suggestedFilename(), 'spending.csv')
  const lines = (await readFile(await download.path(), 'utf8')).trimEnd().split('\r\n')
  t.is(lines.length, rows.length + 1)
  const column = lines.slice(1).map((line) => parseAmount(`${line.split(',')[3]} TKN`, tkn))
  t.is(
    column.reduce((sum, each) => sum + each, 0n),
    spent,
  )
})
