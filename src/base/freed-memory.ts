/**
 * Has this process keep memory that buffers leave for the next ones. By default, glibc gives much of it back to the kernel at once, which takes it
 * from there page by page again: of a pull of 1 GB, a tenth of the time. How much it keeps follows the largest piece of memory that was mapped
 * on its own and freed so far: mallopt(3), M_MMAP_THRESHOLD. Nothing is written to this one, so it takes no memory itself; it is freed with the
 * next garbage. Other C libraries do as they like.
 */
export function keepFreedMemory(): void {
  Buffer.allocUnsafeSlow(1 << 24);
}
