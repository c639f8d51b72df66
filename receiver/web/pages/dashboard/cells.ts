// Tables that are cards on a phone: each cell knows the heading of its column.
import { h } from '../../../../platform/web/pages/dom.ts'

type Children = readonly (Node | string)[]

/** The roles are those that the elements have anyway, and lose where they are shown as cards. */
export function cardTable(heads: Children, body: HTMLElement): HTMLElement {
  const row = h('tr', { role: 'row' }, ...heads)
  const head = h('thead', { role: 'rowgroup' }, row)
  body.setAttribute('role', 'rowgroup')
  return h('table', { role: 'table', class: 'r-cards' }, head, body)
}

export function head(...children: Children): HTMLElement {
  return h('th', { scope: 'col', role: 'columnheader' }, ...children)
}

export function numberHead(title: string): HTMLElement {
  return h('th', { scope: 'col', role: 'columnheader', class: 'd-number' }, title)
}

export function row(...cells: Children): HTMLElement {
  return h('tr', { role: 'row' }, ...cells)
}

export function cell(label: string, ...children: Children): HTMLElement {
  return h('td', { role: 'cell', 'data-label': label }, ...children)
}

export function numberCell(label: string, text: string): HTMLElement {
  return h('td', { role: 'cell', 'data-label': label, class: 'd-number' }, text)
}
