/**
 * The assignment problem: pairs of lowest total cost, by the Hungarian method (Jonker and Volgenant 1987); see
 * `mien.tracking.assignment` in Python.
 *
 * @param {number[][]} cost Finite costs, a row a track, a column a face.
 * @returns {[number, number][]} Pairs of row and column, as many as there are rows or columns, whichever are fewer.
 */
export function assign(cost) {
  if (!cost.length || !cost[0].length) return [];
  if (cost.length > cost[0].length) {
    const turned = cost[0].map((_, column) => cost.map((row) => row[column]));
    return assign(turned)
      .map(([column, row]) => /** @type {[number, number]} */ ([row, column]))
      .sort((a, b) => a[0] - b[0]);
  }
  const columns = cost[0].length;
  const rowPrice = new Float64Array(cost.length);
  const columnPrice = new Float64Array(columns + 1);
  // Which row each column belongs to; the last column is a spare one from which each row starts its search.
  const owner = new Int32Array(columns + 1).fill(-1);
  for (let row = 0; row < cost.length; row++) {
    owner[columns] = row;
    augment(cost, rowPrice, columnPrice, owner);
  }
  /** @type {[number, number][]} */
  const pairs = [];
  for (let column = 0; column < columns; column++) {
    if (owner[column] >= 0) pairs.push([owner[column], column]);
  }
  return pairs.sort((a, b) => a[0] - b[0]);
}

/**
 * Find the cheapest path from the spare column's row to a free column, and shift the owners along it.
 *
 * @param {number[][]} cost
 * @param {Float64Array} rowPrice
 * @param {Float64Array} columnPrice
 * @param {Int32Array} owner
 */
function augment(cost, rowPrice, columnPrice, owner) {
  const spare = cost[0].length;
  const distance = new Float64Array(spare).fill(Infinity);
  const previous = new Int32Array(spare).fill(spare);
  /** @type {boolean[]} */
  const done = new Array(spare + 1).fill(false);
  let column = spare;
  while (owner[column] >= 0) {
    done[column] = true;
    const row = owner[column];
    let nearest = -1;
    for (let j = 0; j < spare; j++) {
      if (done[j]) continue;
      const reduced = cost[row][j] - rowPrice[row] - columnPrice[j];
      if (reduced < distance[j]) {
        distance[j] = reduced;
        previous[j] = column;
      }
      if (nearest < 0 || distance[j] < distance[nearest]) nearest = j;
    }
    const step = distance[nearest];
    for (let j = 0; j <= spare; j++) {
      if (done[j]) {
        rowPrice[owner[j]] += step;
        columnPrice[j] -= step;
      } else if (j < spare) {
        distance[j] -= step;
      }
    }
    column = nearest;
  }
  while (column !== spare) {
    owner[column] = owner[previous[column]];
    column = previous[column];
  }
  owner[spare] = -1;
}
