package notes;

import java.io.Serializable;

/** What a session remembers. Serializable, so that the session can be kept on the disk and go along to the next version. */
final class Visit implements Serializable {
  private static final long serialVersionUID = 1;

  final String user;
  int requests = 0;

  Visit(String user) {
    this.user = user;
  }
}
