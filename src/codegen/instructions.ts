/** One instruction of SQLite's virtual machine, as EXPLAIN shows it: https://sqlite.org/opcode.html */
export interface Instruction {
  readonly addr: number;
  readonly opcode: string;
  readonly p1: number;
  readonly p2: number;
  readonly p3: number;
  readonly p4: string | number | null;
  readonly p5: number;
}

const words = (text: string): ReadonlySet<string> => new Set(text.split(/\s+/));

/** Change neither registers nor cursors, as far as results depend on them, and go on behind themselves. */
export const PLAIN: ReadonlySet<string> = words(
  `Abortable BloomAdd Checkpoint Clear Close ClrSubtype ColumnsUsed CreateBtree CursorHint
  CursorLock CursorUnlock Delete Expire Explain FilterAdd FinishSeek FkCheck FkCounter IdxDelete
  Noop Permutation ReleaseReg ResetCount ResetSorter RowSetAdd SeekHit SetCookie SetSubtype
  SorterCompareHint TableLock Trace Transaction VBegin VInitIn VRename VUpdate`,
);

/** Go on behind themselves or at P2, and move no cursor. */
export const BRANCHES: ReadonlySet<string> = words(
  `ElseEq ElseGt Filter FkIfZero IdxGE IdxGT IdxLE IdxLT IfEmpty IfNoHope IfNotOpen IfSizeBetween
  IncrVacuum IsType Program SequenceTest SorterCompare VFilterHint`,
);

/** Put the cursor P1 on a row and go on behind themselves, or find none and go on at P2. */
export const MOVES_OR_JUMPS: ReadonlySet<string> = words(
  `Last NotExists Rewind SeekGE SeekGT SeekLE SeekLT SeekRowid Sort SorterSort VFilter Found
  NotFound NoConflict`,
);

/** Put the cursor P1 on the next row and go on at P2, or go on behind themselves at the end. */
export const LOOPS: ReadonlySet<string> = words('Next Prev SorterNext VNext');

export const COMPARISONS: ReadonlySet<string> = words('Eq Ne Lt Le Gt Ge');

/** Write an integer into the register P2, and nothing else. */
export const INTEGERS_IN_P2: ReadonlySet<string> = words(
  'Count MaxPgcnt OffsetLimit Pagecount ReadCookie Sequence',
);

/** Look for a key: P4 registers from P3 on. */
export const KEYED: ReadonlySet<string> = words(
  'SeekGE SeekGT SeekLE SeekLT Found NotFound NoConflict IdxGE IdxGT IdxLE IdxLT',
);

/** Go where the integer in the register P1 says. */
export const CONTROLLED: ReadonlySet<string> = words(
  'DecrJumpZero EndCoroutine Gosub If IfNot IfNotZero IfPos InitCoroutine Return Yield',
);
