// English, loaded when asked for; the type makes sure that nothing is missing.
import billing from './en/billing'
import booking from './en/booking'
import devices from './en/devices'
import floor from './en/floor'
import report from './en/report'
import shell from './en/shell'
import type zh from './zh'

const en: typeof zh = { ...shell, ...floor, ...booking, ...billing, ...devices, ...report }
export default en
