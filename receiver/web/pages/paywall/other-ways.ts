// For a browser without a wallet: how to pay from elsewhere.
import { encode } from 'uqr'
import { h, setText } from '../../../../platform/web/pages/dom.ts'
import { agentCommand, darkPath } from './ways.ts'

/** `api` is the root of the channel API. */
export function createOtherWays(api: string): HTMLElement {
  const { href } = location
  return h(
    'section',
    { class: 'u-ways', 'aria-label': 'Other ways to pay' },
    h('h2', {}, 'Pay with an agent'),
    commandRow(agentCommand(href)),
    ...phonePart(href),
    h(
      'p',
      { class: 'u-note' },
      'Or install a wallet for Ethereum and come back. For programs: ',
      h('a', { href: `${api}/openapi.json` }, 'how the payment works'),
    ),
  )
}

function commandRow(command: string): HTMLElement {
  const code = h('code', { class: 'u-command', tabindex: '0' }, command)
  const button = h('button', { type: 'button' }, 'Copy')
  button.addEventListener('click', () => {
    copy(code, command).then(
      () => setText(button, 'Copied'),
      () => setText(button, 'Press Ctrl+C'),
    )
  })
  return h('div', { class: 'u-row' }, code, button)
}

/** Without TLS a page may write nothing to the clipboard: then it is selected, and the person copies. */
async function copy(code: HTMLElement, command: string): Promise<void> {
  getSelection()?.selectAllChildren(code)
  await navigator.clipboard.writeText(command)
}

/** An address too long for a code that a phone can read has none. */
function phonePart(href: string): readonly HTMLElement[] {
  if (href.length > 300) return []
  return [h('h2', {}, 'Or with a phone that has a wallet'), codeOf(href)]
}

const svg = 'http://www.w3.org/2000/svg'

function codeOf(text: string): HTMLElement {
  const { size, data } = encode(text, { ecc: 'M', border: 2 })
  const picture = document.createElementNS(svg, 'svg')
  const path = document.createElementNS(svg, 'path')
  const label = 'QR code with the address of this page'
  for (const [name, value] of Object.entries({
    ...{ viewBox: `0 0 ${size} ${size}`, class: 'u-code', role: 'img', 'aria-label': label },
  })) {
    picture.setAttribute(name, value)
  }
  path.setAttribute('d', darkPath(data))
  picture.append(path)
  return h('div', {}, picture)
}
