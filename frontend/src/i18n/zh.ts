// 中文:先写的语言,不是翻译。
import billing from './zh/billing'
import booking from './zh/booking'
import devices from './zh/devices'
import floor from './zh/floor'
import report from './zh/report'
import shell from './zh/shell'

export default { ...shell, ...floor, ...booking, ...billing, ...devices, ...report }
