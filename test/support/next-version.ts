/** Of the packages that an installed one is upgraded to; above every version that will be released. */
export const nextVersion = '9999.0.0'
