package notes;

import java.io.IOException;
import java.io.InputStream;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Properties;

/** The notes, in MariaDB. Where it is, and how to sign in there, stands in db.properties, which is laid over the WAR at release time. */
final class Database {
  private final String url;
  private final String user;
  private final String password;

  Database() throws IOException {
    Properties settings = new Properties();
    try (InputStream in = Database.class.getResourceAsStream("/db.properties")) {
      if (in == null) throw new IOException("there is no db.properties among the classes");
      settings.load(in);
    }
    url = settings.getProperty("url");
    user = settings.getProperty("username");
    password = settings.getProperty("password");
    if (url == null || user == null || password == null) throw new IOException("db.properties lacks url, username or password");
  }

  private Connection open() throws SQLException {
    return DriverManager.getConnection(url, user, password);
  }

  void prepare() throws SQLException {
    try (Connection connection = open();
        PreparedStatement make =
            connection.prepareStatement(
                "CREATE TABLE IF NOT EXISTS notes (id INT AUTO_INCREMENT PRIMARY KEY, author VARCHAR(64) NOT NULL, text VARCHAR(1000) NOT NULL)")) {
      make.execute();
    }
  }

  void add(String author, String text) throws SQLException {
    try (Connection connection = open();
        PreparedStatement insert = connection.prepareStatement("INSERT INTO notes (author, text) VALUES (?, ?)")) {
      insert.setString(1, author);
      insert.setString(2, text);
      insert.execute();
    }
  }

  List<String> of(String author) throws SQLException {
    try (Connection connection = open();
        PreparedStatement select = connection.prepareStatement("SELECT text FROM notes WHERE author = ? ORDER BY id")) {
      select.setString(1, author);
      List<String> texts = new ArrayList<>();
      try (ResultSet rows = select.executeQuery()) {
        while (rows.next()) texts.add(rows.getString(1));
      }
      return texts;
    }
  }
}
