/** Folders of an application that outlive its releases. */
import { z } from 'zod';

const FOLDER = /^(?!\.{1,2}(\/|$))[A-Za-z0-9_.@+-]+(\/(?!\.{1,2}(\/|$))[A-Za-z0-9_.@+-]+)*\/?$/;

export const persistSchema = z
  .array(
    z
      .string()
      .regex(FOLDER, 'expected a folder below `directory`, like uploads or public/media')
      .transform((folder) => folder.replace(/\/$/, '')),
  )
  .default([])
  .describe(
    'Folders that outlive releases, relative to the directory (tomcat: to the WAR), e.g. uploads. What the ' +
      'artifact has there is copied once.',
  );

/** Why several hosts cannot have such folders, and what can be done instead. */
export const ONE_HOST =
  'lies on the disk of one host, and other hosts would lack it: keep such files in object storage (S3) or ' +
  'in a database, or give the application one host';
