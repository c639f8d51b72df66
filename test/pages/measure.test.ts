// The measure that tests of the pages hold pages against finds what a person would stumble over.
import test from 'ava'
import { openWindow, startChromium } from '../support/chromium.ts'
import { unfitElements } from '../support/measure.ts'

const cases: readonly (readonly [name: string, html: string, found: readonly RegExp[]])[] = [
  ['text that wraps', '<p>one two three four five six seven eight nine ten eleven twelve</p>', []],
  [
    'a box wider than the screen',
    '<div id="w" style="width: 500px">x</div>',
    [/^the page scrolls sideways/, /^<div#w> .* beyond the right edge$/],
  ],
  [
    'a box that begins left of the screen',
    '<div id="l" style="margin-left: -30px">x</div>',
    [/^<div#l> .* 30 px beyond the left edge$/],
  ],
  [
    'text that is cut off',
    '<p id="c" style="overflow: hidden; white-space: nowrap; text-overflow: ellipsis">one two three four five six seven eight nine ten eleven twelve</p>',
    [/^<p#c> .* is cut off by \d+ px$/],
  ],
  [
    'lines that are cut off',
    '<p id="b" style="overflow: hidden; height: 10px">x</p>',
    [/^<p#b> .* is cut off at the bottom/],
  ],
  [
    'a word longer than its box',
    '<div id="s" style="width: 50px">Donaudampfschifffahrt</div>',
    [/^<div#s> .* spills out of its box by \d+ px$/],
  ],
  [
    'a table that scrolls where nobody said that it may',
    '<div id="t" style="overflow-x: auto"><div style="width: 600px">x</div></div>',
    [/^<div#t> .* scrolls sideways by \d+ px$/, /^<div> .* beyond the right edge$/],
  ],
  [
    'a table that may scroll',
    '<div class="may" style="overflow-x: auto"><div style="width: 600px">x</div></div>',
    [],
  ],
  ['what is hidden', '<div hidden style="width: 500px">x</div>', []],
  [
    'a label for screen readers',
    '<span style="position: absolute; width: 1px; height: 1px; overflow: hidden">for those who listen</span>',
    [],
  ],
]

test.serial('what does not fit is found, and what fits is not', async (t) => {
  const viewport = { width: 320, height: 568 }
  const { page } = await openWindow(await startChromium(t), { viewport })
  for (const [name, html, expected] of cases) {
    await page.setContent(`<!doctype html><body style="margin: 0">${html}`)
    const found = await unfitElements(page, { mayScroll: '.may' })
    t.is(found.length, expected.length, `${name}: ${found.join('\n')}`)
    for (const [at, pattern] of expected.entries()) t.regex(found[at] ?? '', pattern, name)
  }
})

test.serial(
  'a page that draws again for another size of its window is measured as it is then',
  async (t) => {
    const { page } = await openWindow(await startChromium(t))
    await page.setContent(`<!doctype html><body style="margin: 0"><div id="drawn">x</div><script>
    const draw = () => { drawn.style.width = innerWidth + 'px' }
    addEventListener('resize', draw)
    draw()
  </script>`)
    for (const width of [1280, 320, 768, 390]) {
      await page.setViewportSize({ width, height: 800 })
      t.deepEqual(await unfitElements(page), [], `${width} px`)
    }
  },
)
