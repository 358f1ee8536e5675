// The units of the table: how exactly a figure is told, and whether more of it is better.

export type Unit = 'ms' | 'CPU ms' | 'MB/s' | 'requests/s' | 'MB resident';

interface UnitRule {
  readonly digits: number;
  readonly isMoreBetter: boolean;
}

const RULES: Readonly<Record<Unit, UnitRule>> = {
  ms: { digits: 1, isMoreBetter: false },
  'CPU ms': { digits: 2, isMoreBetter: false },
  'MB/s': { digits: 0, isMoreBetter: true },
  'requests/s': { digits: 0, isMoreBetter: true },
  'MB resident': { digits: 0, isMoreBetter: false },
};

export function formatValue(value: number, unit: Unit): string {
  return value.toFixed(RULES[unit].digits);
}

export function isMoreBetter(unit: Unit): boolean {
  return RULES[unit].isMoreBetter;
}
