// Makes the git repository of the example WAR: `node make-repository.mjs FOLDER`. Branch `good` is the application in this folder.
import { fileURLToPath } from 'node:url';
import { makeRepository } from '../repository.mjs';

const PAGES = 'src/notes/Pages.java';

makeRepository(process.argv[2], {
  name: 'Notes',
  from: fileURLToPath(new URL('app', import.meta.url)),
  message: 'Keep notes',
  branches: {
    // A harmless change: the candidate that should pass.
    better: [PAGES, 'VERSION = "good"', 'VERSION = "better"', 'Say which version runs'],
    // Every request fails.
    broken: [
      PAGES,
      'String path = request.getServletPath();',
      'String path = request.getServletPath().split("/")[2];',
      'Name pages by their last part',
    ],
    // Does not start at all.
    unstartable: [
      'src/notes/Start.java',
      'Database database = new Database();',
      'if (System.getenv("SPELLING_KEY") == null) throw new IllegalStateException("SPELLING_KEY is not set");\n      Database database = new Database();',
      'Ask the spelling service',
    ],
    // Keeps everything that it has ever answered, and more.
    hungry: [
      PAGES,
      'database().of("nobody");',
      'getServletContext().setAttribute("kept " + System.nanoTime(), new byte[64 << 20]);\n    database().of("nobody");',
      'Remember the status',
    ],
    // Its sessions hold what cannot be written to a disk.
    forgetful: [
      'src/notes/Visit.java',
      'final class Visit implements Serializable',
      'final class Visit',
      'Simplify visits',
    ],
    // Does not compile.
    typo: [PAGES, 'response.sendError(400);', 'response.sendErrr(400);', 'Refuse what is no name'],
  },
});
