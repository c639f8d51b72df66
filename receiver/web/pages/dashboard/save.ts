// Hands a file to the browser.
import { h } from '../../../../platform/web/pages/dom.ts'

export function saveFile(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  h('a', { href: url, download: name }).click()
  URL.revokeObjectURL(url)
}
