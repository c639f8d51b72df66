// The agent's owner at its page, in a real browser, with a real daemon, receiver and chain.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { gzipSync } from 'node:zlib'
import test, { type ExecutionContext } from 'ava'
import type { BrowserContextOptions, Page } from 'playwright-core'
import type { PageState } from '../../agent/program/page/state.ts'
import { pageToken, startAgentPage } from '../support/agent-page.ts'
import { seriousViolations } from '../support/axe.ts'
import { openWindow, startChromium } from '../support/chromium.ts'
import { unfitElements } from '../support/measure.ts'
import { price } from '../support/page-shop.ts'

async function givenOwner(t: ExecutionContext, options: BrowserContextOptions = {}, more?: string) {
  const agent = await startAgentPage(t, more)
  const window = await openWindow(await startChromium(t), options)
  const { page } = window
  await page.goto(agent.page)
  await page.getByText('· live').waitFor()
  return { ...agent, ...window, url: new URL('/', agent.page).href }
}

const button = (page: Page, name: string | RegExp) =>
  page.getByRole('button', { name, exact: true })

async function allowActions(page: Page, token = pageToken): Promise<void> {
  await button(page, 'Allow actions…').click()
  await page.getByLabel('Token').fill(token)
  await button(page, 'Allow').click()
}

const tile = (page: Page, name: string, value: string) =>
  page.locator('.d-tile', { hasText: name }).getByText(value, { exact: true }).waitFor()

const section = (page: Page, name: string) => page.getByRole('region', { name, exact: true })

test.serial('the owner looks, runs a job, pauses and closes with confirmation', async (t) => {
  const { page, daemon, senderAccount, receiverAccount, tokensOf, complaints } = await givenOwner(t)
  await page.getByText(senderAccount.address).waitFor()
  await tile(page, 'Tokens in the account', '1 TKN')
  await section(page, 'Channels').getByText('No channel is open.').waitFor()
  await page.getByText('Nothing was bought yet.').waitFor()
  const day = page.getByRole('meter', { name: 'Everything: Day' })
  t.is(await day.getAttribute('aria-valuetext'), '0.2 of 0.2 TKN left')
  t.is(await button(page, 'Run now: temperature').count(), 0)

  await allowActions(page, 'not-the-right-token')
  await page.getByRole('alert').getByText('This is not the token of this page.').waitFor()
  await page.getByLabel('Token').fill(pageToken)
  await page.keyboard.press('Enter')
  await page.getByText('Actions are allowed in this tab.').waitFor()

  await button(page, 'Run now: temperature').click()
  await page.getByText('temperature ran.').waitFor()
  await page.getByText(/went well \d+ s ago, for 0\.005 TKN/).waitFor()
  const row = page.getByRole('region', { name: 'Table of purchases' }).locator('tbody tr')
  await row.getByText('got it (200)').waitFor()
  await row.getByText('living-room', { exact: true }).waitFor()
  await row.getByText('0.005 TKN').waitFor()
  await page.locator('[aria-valuetext="0.195 of 0.2 TKN left"]').waitFor({ state: 'attached' })
  await page.getByText('0.045 TKN', { exact: true }).first().waitFor()

  await button(page, 'Pause everything').click()
  await page.getByText('Paused: jobs and programs buy nothing until it is resumed.').waitFor()
  t.true((await daemon.status())?.paused)
  await button(page, 'Resume everything').click()
  await page.getByText('Jobs and programs may buy again.').waitFor()
  await button(page, 'Pause temperature').click()
  await page.getByText('when it is resumed').waitFor()
  t.is((await daemon.status())?.jobs.find(({ name }) => name === 'temperature')?.state, 'paused')
  await button(page, 'Resume temperature').click()
  await page.getByText('temperature goes on.').waitFor()

  const close = button(page, /^Close the channel to living-room/)
  await close.click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('It ends for good.').waitFor()
  await dialog.getByRole('button', { name: 'Cancel' }).click()
  t.is((await daemon.status())?.channels[0]?.state, 'open')
  await close.click()
  await page.keyboard.press('Escape')
  t.is((await daemon.status())?.channels[0]?.state, 'open')
  await close.click()
  await dialog.getByRole('button', { name: 'Close together' }).click()
  await page.getByText('The channel to living-room is closed.').waitFor()
  await section(page, 'Channels').getByText('No channel is open.').waitFor()
  t.is(await tokensOf(receiverAccount.address), price)
  await tile(page, 'Tokens in the account', '0.995 TKN')

  await page.reload()
  await button(page, 'Forget the token').click()
  await button(page, 'Allow actions…').waitFor()
  t.is(await button(page, 'Pause everything').isVisible(), false)
  t.deepEqual(
    complaints.filter((text) => !text.includes('401')),
    [],
  )
})

test.serial(
  'errors, a channel that closes alone, and an agent that goes away and comes back',
  async (t) => {
    const { page, breakGoods, restartDaemon, complaints } = await givenOwner(t)
    await allowActions(page)
    breakGoods(true)
    await button(page, 'Run now: camera').click()
    await page.getByText(/^failed \d+ s ago: /).waitFor()
    await section(page, 'Errors').getByText('job camera failed').waitFor()
    await button(page, 'Run now: temperature').click()
    await page.getByText('temperature ran.').waitFor()
    await button(page, /^Close the channel to living-room/).click()
    await page.getByRole('button', { name: 'Close alone' }).click()
    await page.getByText('is closing; the agent settles by itself.').waitFor()
    await page.getByText(/The rest comes back after block \d+/).waitFor()

    const start = await restartDaemon()
    await page.getByText('no connection to the agent').waitFor()
    await button(page, 'Pause everything').click()
    await page.getByText('The agent does not answer.').waitFor()
    await start()
    await page.getByText('· live').waitFor()
    await page.getByText(/The rest comes back after block \d+/).waitFor()
    t.deepEqual(
      complaints.filter(
        (text) => !/ERR_CONNECTION_REFUSED|ERR_INCOMPLETE|status of 409/.test(text),
      ),
      [],
    )
  },
)

test.serial('no page of another site sees or does anything', async (t) => {
  const { page, window, url, daemon } = await givenOwner(t)
  await allowActions(page)
  await button(page, 'Pause everything').waitFor()
  t.deepEqual(await window.cookies(), [])
  const evil = await window.newPage()
  await evil.goto(await startOtherSite(t))
  const outcomes = await evil.evaluate(async (target) => {
    const json = { 'content-type': 'application/json' }
    const tries: readonly (readonly [string, RequestInit])[] = [
      ['state', {}],
      ['state', { mode: 'no-cors' }],
      ['events', { mode: 'no-cors' }],
      ['do/pause', { method: 'POST', mode: 'no-cors', body: '{}' }],
      ['do/pause', { method: 'POST', headers: json, body: '{}' }],
    ]
    return Promise.all(
      tries.map(([path, init]) =>
        fetch(target + path, init).then(
          ({ status }) => `${status}`,
          () => 'stopped',
        ),
      ),
    )
  }, url)
  t.deepEqual(outcomes, ['stopped', 'stopped', 'stopped', 'stopped', 'stopped'])
  t.false((await daemon.status())?.paused)
  await evil.setContent(`<iframe src="${url}"></iframe>`)
  const framed = evil.frames().at(-1)
  t.is(await framed?.getByText('µRaiden agent').count(), 0)
})

test.serial('without budgets and jobs the page says what is missing', async (t) => {
  const { page, configure, daemon } = await givenOwner(t)
  await configure('')
  daemon.child.kill('SIGHUP')
  await page.getByText('No budget is set').waitFor()
  await page.getByText('No job is configured').waitFor()
  await configure("budget: { total: '1,5' }\n")
  daemon.child.kill('SIGHUP')
  await page
    .getByText(/The last reload was refused, the old configuration stays: .*budget\.total/)
    .waitFor()
  t.pass()
})

test.serial('what others name is text: nothing of it is run', async (t) => {
  const nasty = "<img src=x onerror=alert(1)>'"
  const { page, url } = await givenOwner(t)
  let told = ''
  await page.route('**/events', async (route) => {
    const { authorization = '' } = route.request().headers()
    const asked = await fetch(`${url}state`, { headers: { authorization } })
    const state = (await asked.json()) as PageState
    const [job] = state.jobs
    const trouble = {
      time: 1,
      level: 'warn',
      message: nasty,
      code: nasty,
      reason: nasty,
      hint: nasty,
    }
    const purchase = {
      ...{ time: 1, method: nasty, url: nasty, status: 200, cost: '5' },
      receiver: nasty,
      receiverName: nasty,
      buyer: nasty,
    }
    const changed = {
      ...state,
      address: nasty,
      waiting: { code: nasty, message: nasty },
      jobs: [{ ...job, name: nasty, target: nasty }],
      purchases: [purchase],
      troubles: [trouble],
    }
    told = `data: ${JSON.stringify(changed)}\n\n`
    await route.fulfill({ contentType: 'text/event-stream', body: told })
  })
  await page.reload()
  await section(page, 'Errors').getByText(nasty).first().waitFor()
  t.is(await page.locator('img').count(), 0)
  t.true(told.includes('onerror'))
})

test.serial(
  'the keyboard alone allows actions and runs a job; the focus stays where it is',
  async (t) => {
    const { page } = await givenOwner(t)
    const focused = () =>
      page.evaluate<string>(
        'document.activeElement?.getAttribute("aria-label") ?? document.activeElement?.textContent ?? ""',
      )
    const tabTo = async (text: string) => {
      for (let tries = 0; tries < 30 && (await focused()) !== text; tries++) {
        await page.keyboard.press('Tab')
      }
      t.is(await focused(), text)
    }
    await tabTo('Allow actions…')
    await page.keyboard.press('Enter')
    await page.getByLabel('Token').waitFor()
    await page.keyboard.type(pageToken)
    await page.keyboard.press('Enter')
    await page.getByText('Actions are allowed in this tab.').waitFor()
    await tabTo('Run now: temperature')
    await page.keyboard.press('Enter')
    await page.getByText('temperature ran.').waitFor()
    await page.getByText('got it (200)').waitFor()
    t.is(await focused(), 'Run now: temperature')
  },
)

test.serial('the page weighs little, and loads nothing from elsewhere', async (t) => {
  const agent = await startAgentPage(t)
  const { page } = await openWindow(await startChromium(t))
  const answers: Promise<{ readonly url: string; readonly size: number }>[] = []
  page.on('response', (response) => {
    if (response.url().endsWith('/events')) return
    const sizeOf = (body: Buffer) => gzipSync(body, { level: 9 }).length
    answers.push(response.body().then((body) => ({ url: response.url(), size: sizeOf(body) })))
  })
  await page.goto(agent.page)
  await page.getByText('· live').waitFor()
  const shown = await page.evaluate<number>('Math.round(performance.now())')
  await page.locator('.a-plot canvas').waitFor()
  const loaded = await Promise.all(answers)
  const sizeOf = (files: typeof loaded) => files.reduce((sum, { size }) => sum + size, 0) / 1000
  const isChart = ({ url: loadedUrl }: (typeof loaded)[number]) => loadedUrl.includes('/spending')
  const [size, chart] = [
    sizeOf(loaded.filter((each) => !isChart(each))),
    sizeOf(loaded.filter(isChart)),
  ]
  const sizes = `${size.toFixed(1)} kB compressed, the chart ${chart.toFixed(1)} kB`
  t.log(`${sizes}, in ${loaded.length} answers; shown after ${shown} ms`)
  t.true(loaded.length >= 5 && size < 20 && chart < 30, sizes)
  const url = new URL('/', agent.page).href
  t.true(loaded.every((each) => each.url.startsWith(url)))
})

for (const colorScheme of ['light', 'dark'] as const) {
  test.serial(`axe finds nothing serious on the agent’s page, ${colorScheme}`, async (t) => {
    const { page, breakGoods, daemon } = await givenOwner(t, { colorScheme })
    const check = async (step: string) => t.deepEqual(await seriousViolations(page), [], step)
    await check('nothing yet')
    await button(page, 'Allow actions…').click()
    await page.getByLabel('Token').waitFor()
    await check('the token')
    await page.getByLabel('Token').fill('wrong-wrong-wrong')
    await button(page, 'Allow').click()
    await page.getByText('This is not the token of this page.').waitFor()
    await check('a wrong token')
    await page.getByLabel('Token').fill(pageToken)
    await button(page, 'Allow').click()
    breakGoods(true)
    await button(page, 'Run now: camera').click()
    await section(page, 'Errors').getByText('job camera failed').waitFor()
    await button(page, 'Run now: temperature').click()
    await page.getByText('got it (200)').waitFor()
    await button(page, 'Pause everything').click()
    await page.getByText('Paused: jobs and programs buy nothing until it is resumed.').waitFor()
    await check('after a purchase and an error, paused')
    await button(page, /^Close the channel to living-room/).click()
    await page.getByRole('dialog').waitFor()
    await check('closing')
    await page.getByRole('button', { name: 'Cancel' }).click()
    daemon.child.kill('SIGTERM')
    await page.getByText('no connection to the agent').waitFor()
    await check('no connection')
  })
}

test.serial('on a small phone nothing is cut off', async (t) => {
  const viewport = { width: 320, height: 568 }
  const { page } = await givenOwner(t, { viewport, isMobile: true })
  await allowActions(page)
  await button(page, 'Run now: temperature').click()
  await page.getByText('got it (200)').waitFor()
  t.deepEqual(await unfitElements(page), [])
  for (const each of await page.getByRole('button').all()) {
    const box = await each.boundingBox()
    if (box !== null) t.true(box.height >= 32 && box.x >= 0 && box.x + box.width <= 320)
  }
})

/** A page on another port: another origin. */
async function startOtherSite(t: ExecutionContext): Promise<string> {
  const server = createServer((_, response) => {
    response.setHeader('content-type', 'text/html')
    response.end('<title>evil</title>')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
