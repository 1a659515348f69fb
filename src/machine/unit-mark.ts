/** How every unit of ours begins, with the machine's name after it; others are never touched. */
export const unitMark = "# nspawn machine";
